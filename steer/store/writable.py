"""What happens where a store can not be read or written."""

from collections.abc import Iterator
from contextlib import contextmanager

from steer.errors import FailedPrecondition, Violation


@contextmanager
def writing(what: str, where: object) -> Iterator[None]:
    """Around everything that changes a store: errors of the place say what could not be done.

    ``what``: the change, in words (``'calm' can not be stored``). ``where``: the folder or URL.
    """
    try:
        yield
    except OSError as error:
        raise _refusal(f"{what} in {where}", "STORE_NOT_WRITABLE", error) from error


@contextmanager
def reading(where: object) -> Iterator[None]:
    """Around looking for what is there: a place that does not let it is not an empty one."""
    try:
        yield
    except OSError as error:
        message = f"the store in {where} can not be read"
        raise _refusal(message, "STORE_NOT_READABLE", error) from error


def _refusal(message: str, reason: str, error: OSError) -> FailedPrecondition:
    message = f"{message}: {error.strerror or error}"
    # Said here, so that nobody blames a field of the request.
    violations = (Violation("store", reason, message),)
    return FailedPrecondition(message, reason=reason, violations=violations)
