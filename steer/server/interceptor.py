"""Around every call: a request id, and errors as statuses with details."""

import logging
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import (  # type: ignore[import-untyped]
    code_pb2,
    error_details_pb2,
    status_pb2,
)
from grpc_status import rpc_status

from steer.errors import ServerError, SteerError

log = logging.getLogger("steer.server")

REQUEST_ID = "x-request-id"
DOMAIN = "steer"

request_id: ContextVar[str] = ContextVar("request_id")
"""Id of the call under way."""

Context = grpc.aio.ServicerContext[Any, Any]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class Interceptor(grpc.aio.ServerInterceptor):
    """Translates ``SteerError`` to a status in one place; hides what other errors say."""

    async def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> Any:
        """Wrap the two kinds of handlers this service has."""
        handler = await continuation(details)
        if handler is None or not details.method.startswith("/steer."):
            return handler
        codec = (handler.request_deserializer, handler.response_serializer)
        if handler.unary_unary:
            wrapped = _unary(handler.unary_unary)
            return grpc.unary_unary_rpc_method_handler(wrapped, *codec)
        return grpc.unary_stream_rpc_method_handler(_stream(handler.unary_stream), *codec)


def _unary(handle: Any) -> Any:
    async def call(request: Message, context: Context) -> Any:
        await _identify(context)
        try:
            return await handle(request, context)
        except Exception as error:
            await _abort(context, error)

    return call


def _stream(handle: Any) -> Any:
    async def call(request: Message, context: Context) -> Any:
        await _identify(context)
        answers = handle(request, context)
        try:
            async for answer in answers:
                yield answer
        except Exception as error:
            await _abort(context, error)
        finally:
            # Not left to the garbage collector: closing frees the rows.
            await answers.aclose()

    return call


async def _identify(context: Context) -> None:
    given = dict(context.invocation_metadata() or ()).get(REQUEST_ID, "")
    # Made unique: the id also names the rows in the engine.
    own = uuid.uuid4().hex
    mark = f"{str(given)[:64]}-{own[:8]}" if given else own
    request_id.set(mark)
    context.set_trailing_metadata(((REQUEST_ID, mark),))


async def _abort(context: Context, error: Exception) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if not isinstance(error, SteerError):
        log.exception("request %s failed", request_id.get())
        error = ServerError("internal error; the server's log has the request id")
    ready = rpc_status.to_status(status(error))
    # Aborting replaces the trailing metadata, the request id with it.
    trailing = ((REQUEST_ID, request_id.get()), *ready.trailing_metadata)
    await context.abort_with_status(ready._replace(trailing_metadata=trailing))


def status(error: SteerError) -> status_pb2.Status:
    """The google.rpc.Status of an error: BadRequest, ErrorInfo, RetryInfo."""
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN)]
    if error.violations:
        fields = [
            error_details_pb2.BadRequest.FieldViolation(
                field=item.field, description=item.message, reason=item.reason
            )
            for item in error.violations
        ]
        details.append(error_details_pb2.BadRequest(field_violations=fields))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(error.retry_after * 1000))
        details.append(retry)
    return status_pb2.Status(
        code=code_pb2.Code.Value(error.code),
        message=error.message,
        details=[_packed(detail) for detail in details],
    )


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
