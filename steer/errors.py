"""The one exception tree. Each class knows its gRPC code and its machine-readable reason.

SteerError
├── InvalidRequest      INVALID_ARGUMENT     every violation at once
├── FailedPrecondition  FAILED_PRECONDITION  right in itself, wrong for this model or store
├── NotFound            NOT_FOUND
├── NotImplementedYet   UNIMPLEMENTED        in the contract, not in this engine
├── Overloaded          RESOURCE_EXHAUSTED   carries ``retry_after``
├── TooLarge            RESOURCE_EXHAUSTED   will never fit; retrying is useless
├── Unavailable         UNAVAILABLE          loading, draining or unreachable
│   └── Interrupted                          an upload broke off; carries ``upload_id``
├── DeadlineExceeded    DEADLINE_EXCEEDED
├── Cancelled           CANCELLED
├── Unauthenticated     UNAUTHENTICATED
└── ServerError         INTERNAL
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request.

    ``field`` is the path of the field (``arms[0].interventions[1].sites[0].layer``), ``reason`` an
    upper-snake-case constant, ``message`` says what is wrong and what would be valid.
    """

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class SteerError(Exception):
    """Base of everything this package raises on purpose."""

    code = "UNKNOWN"
    default_reason = "UNKNOWN"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        violations: Iterable[Violation] = (),
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.request_id = request_id


class InvalidRequest(SteerError):
    """The request can not be valid anywhere, whatever the model."""

    code = "INVALID_ARGUMENT"
    default_reason = "INVALID_REQUEST"


class FailedPrecondition(SteerError):
    """The request is well formed but does not fit the model or the store."""

    code = "FAILED_PRECONDITION"
    default_reason = "FAILED_PRECONDITION"


class NotFound(SteerError):
    """A named vector, arm or model does not exist."""

    code = "NOT_FOUND"
    default_reason = "NOT_FOUND"


class NotImplementedYet(SteerError):
    """The contract has it, this server has not."""

    code = "UNIMPLEMENTED"
    default_reason = "NOT_IMPLEMENTED"


class Overloaded(SteerError):
    """The queue is full; try again after ``retry_after`` seconds."""

    code = "RESOURCE_EXHAUSTED"
    default_reason = "QUEUE_FULL"


class TooLarge(SteerError):
    """The message or the trial is larger than this server can ever hold."""

    code = "RESOURCE_EXHAUSTED"
    default_reason = "TOO_LARGE"


class Unavailable(SteerError):
    """The server is loading, draining, or can not be reached."""

    code = "UNAVAILABLE"
    default_reason = "UNAVAILABLE"


class Interrupted(Unavailable):
    """An upload broke off; ``upload(…, resume=error.upload_id)`` goes on with it."""

    def __init__(self, message: str, upload_id: str, request_id: str = "") -> None:
        whole = f"{message}; resume={upload_id!r} goes on with the upload, for a day"
        super().__init__(whole, reason="INTERRUPTED", request_id=request_id)
        self.upload_id = upload_id


class DeadlineExceeded(SteerError):
    """The call's deadline passed; its rows have been freed."""

    code = "DEADLINE_EXCEEDED"
    default_reason = "DEADLINE_EXCEEDED"


class Cancelled(SteerError):
    """The caller went away."""

    code = "CANCELLED"
    default_reason = "CANCELLED"


class Unauthenticated(SteerError):
    """No token, or not the right one."""

    code = "UNAUTHENTICATED"
    default_reason = "UNAUTHENTICATED"


class ServerError(SteerError):
    """A fault of the server; the caller did nothing wrong."""

    code = "INTERNAL"
    default_reason = "INTERNAL"


class Violations:
    """Collects what is wrong with a request so that all of it is reported at once.

    Kinds differ in the status they end as: the worst kind present decides, in the order of
    ``_ORDER``, and every violation travels with it. Any other kind (``Unavailable``) decides only
    where it is alone: to try again does not help while the request itself is wrong.
    """

    _ORDER: tuple[type[SteerError], ...] = (InvalidRequest, NotFound, FailedPrecondition)

    def __init__(self) -> None:
        self._found: list[tuple[type[SteerError], Violation]] = []
        self._fields: set[str] = set()

    def add(
        self, field: str, reason: str, message: str, kind: type[SteerError] = InvalidRequest
    ) -> None:
        """Record one violation of ``kind``.

        Nothing is recorded at or below a field that is already reported: what is found there
        follows from the first.
        """
        if self._fields.isdisjoint(_at_or_above(field)):
            self._fields.add(field)
            self._found.append((kind, Violation(field, reason, message)))

    def tried(
        self, make: Callable[[], T], path: str, place: Callable[[str], str] | None = None
    ) -> T | None:
        """What ``make`` makes; None when it raises a SteerError, and then what that says is
        recorded: each violation, below ``path`` unless ``place`` makes another path of its field;
        at ``path`` where it has none."""
        try:
            return make()
        except SteerError as error:
            for violation in error.violations:
                field = place(violation.field) if place else f"{path}.{violation.field}"
                self.add(field, violation.reason, violation.message, type(error))
            if not error.violations:
                self.add(path, error.reason, error.message, type(error))
            return None

    def under(self, path: str) -> bool:
        """Whether something at or below ``path`` was reported."""
        return any(path in _at_or_above(violation.field) for _, violation in self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        """Raise ``error()``; do nothing when there is none."""
        error = self.error()
        if error is not None:
            raise error

    def error(self) -> SteerError | None:
        """One error that carries every violation; None when there is none."""
        if not self._found:
            return None
        worst, first = min(self._found, key=lambda one: self._rank(one[0]))
        violations = [violation for _, violation in self._found]
        message = "; ".join(str(violation) for violation in violations)
        return worst(message, reason=first.reason, violations=violations)

    def _rank(self, kind: type[SteerError]) -> int:
        order = enumerate(self._ORDER)
        return next((rank for rank, one in order if issubclass(kind, one)), len(self._ORDER))


def _at_or_above(field: str) -> Iterator[str]:
    yield field
    yield from (field[:end] for end, mark in enumerate(field) if mark in ".[")


BY_CODE: dict[str, type[SteerError]] = {
    cls.code: cls
    for cls in (
        InvalidRequest,
        FailedPrecondition,
        NotFound,
        NotImplementedYet,
        Overloaded,
        Unavailable,
        DeadlineExceeded,
        Cancelled,
        Unauthenticated,
        ServerError,
    )
}
