"""What happens where a store can not be written."""

from collections.abc import Iterator
from contextlib import contextmanager

from steer.errors import FailedPrecondition


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Around everything that changes a store: errors of the place say what could not be done.

    ``what``: the change, in words (``'calm' can not be stored``).
    """
    try:
        yield
    except OSError as error:
        message = f"{what}: {error.strerror or error}"
        raise FailedPrecondition(message, reason="STORE_NOT_WRITABLE") from error
