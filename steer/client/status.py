"""gRPC statuses become exceptions: the one place that reads error details."""

from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]
    BadRequest,
    ErrorInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from steer.errors import (
    BY_CODE,
    InvalidRequest,
    Overloaded,
    ServerError,
    SteerError,
    TooLarge,
    Unauthenticated,
    Violation,
)

_DETAILS = "grpc-status-details-bin"
_REQUEST_ID = "x-request-id"
# Codes that have no class of their own.
_NEAREST = {"OUT_OF_RANGE": InvalidRequest, "PERMISSION_DENIED": Unauthenticated}

D = TypeVar("D", bound=Message)


def to_error(failed: grpc.RpcError) -> SteerError:
    """The exception for a failed call."""
    # Pairs at run time, in both clients; the stubs know only one of them.
    metadata: Any = failed.trailing_metadata()
    trailer = dict(metadata or ())
    details = _details(trailer.get(_DETAILS))
    info = _find(details, ErrorInfo)
    retry = _find(details, RetryInfo)
    bad = _find(details, BadRequest) or BadRequest()
    message = failed.details() or failed.code().name
    if info is not None and info.domain != "steer":
        info = None
    return _class(failed.code().name, message, info, retry)(
        message,
        reason=info.reason if info else None,
        violations=[Violation(v.field, v.reason, v.description) for v in bad.field_violations],
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if retry else None,
        request_id=str(trailer.get(_REQUEST_ID, "")),
    )


def _class(
    code: str, message: str, info: ErrorInfo | None, retry: RetryInfo | None
) -> type[SteerError]:
    if code != Overloaded.code:
        return BY_CODE.get(code) or _NEAREST.get(code, ServerError)
    # gRPC itself says RESOURCE_EXHAUSTED for a message over the limit, with no details.
    if info is None:
        return TooLarge if "larger than max" in message else Overloaded
    return Overloaded if retry or info.reason == Overloaded.default_reason else TooLarge


def _details(raw: str | bytes | None) -> Status:
    try:
        return Status.FromString(raw) if isinstance(raw, bytes) else Status()
    except DecodeError:
        return Status()


def _find(status: Status, kind: type[D]) -> D | None:
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            found = kind()
            packed.Unpack(found)
            return found
    return None
