"""What happens where a store can not be written."""

from collections.abc import Iterator
from contextlib import contextmanager

from steer.errors import FailedPrecondition, Violation


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Around everything that changes a store: errors of the place say what could not be done.

    ``what``: the change, in words (``'calm' can not be stored``).
    """
    try:
        yield
    except OSError as error:
        reason, message = "STORE_NOT_WRITABLE", f"{what}: {error.strerror or error}"
        # Said here, so that nobody blames a field of the request.
        violations = (Violation("store", reason, message),)
        raise FailedPrecondition(message, reason=reason, violations=violations) from error
