"""Around every call: a request id, and errors as statuses with details."""

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.rpc import (  # type: ignore[import-untyped]
    code_pb2,
    error_details_pb2,
    status_pb2,
)
from grpc_status import rpc_status

from steer.errors import InvalidRequest, ServerError, SteerError, Violation

log = logging.getLogger("steer.server")

REQUEST_ID = "x-request-id"
DOMAIN = "steer"

WORDS, ROOM = 900, 3000
"""Characters of a status' message, and bytes of its violations. Clients take 8 KiB of metadata, in
which the message stands twice and details are encoded; what is larger they refuse at random, and
then they see neither code nor details."""

request_id: ContextVar[str] = ContextVar("request_id")
"""Id of the call under way."""

Context = grpc.aio.ServicerContext[Any, Any]
Parse = Callable[[bytes], Message]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class Interceptor(grpc.aio.ServerInterceptor):
    """Translates ``SteerError`` to a status in one place; hides what other errors say."""

    async def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> Any:
        """Wrap the three kinds of handlers this service has."""
        handler = await continuation(details)
        if handler is None or not details.method.startswith("/steer."):
            return handler
        # Requests arrive as bytes and are parsed below: gRPC would answer INTERNAL to bad ones.
        parse, codec = handler.request_deserializer, (None, handler.response_serializer)
        if handler.unary_unary:
            wrapped = _unary(handler.unary_unary, parse)
            return grpc.unary_unary_rpc_method_handler(wrapped, *codec)
        if handler.stream_unary:
            collecting = _collecting(handler.stream_unary, parse)
            return grpc.stream_unary_rpc_method_handler(collecting, *codec)
        return grpc.unary_stream_rpc_method_handler(_stream(handler.unary_stream, parse), *codec)


def _unary(handle: Any, parse: Parse) -> Any:
    async def call(request: bytes, context: Context) -> Any:
        await _identify(context)
        try:
            return await handle(_parsed(request, parse), context)
        except Exception as error:
            await _abort(context, error)

    return call


def _collecting(handle: Any, parse: Parse) -> Any:
    async def call(requests: AsyncIterator[bytes], context: Context) -> Any:
        await _identify(context)
        try:
            return await handle((_parsed(one, parse) async for one in requests), context)
        except Exception as error:
            await _abort(context, error)

    return call


def _stream(handle: Any, parse: Parse) -> Any:
    async def call(request: bytes, context: Context) -> Any:
        await _identify(context)
        try:
            # Closed here and not by the garbage collector: closing frees the rows.
            async with aclosing(handle(_parsed(request, parse), context)) as answers:
                async for answer in answers:
                    yield answer
        except Exception as error:
            await _abort(context, error)

    return call


def _parsed(request: bytes, parse: Parse) -> Message:
    try:
        return parse(request)
    except DecodeError as error:
        raise InvalidRequest(
            f"the message can not be read ({error}); give one of this method's request type",
            reason="UNREADABLE",
        ) from error


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
        fields = list(_fitting([_field(item) for item in error.violations]))
        details.append(error_details_pb2.BadRequest(field_violations=fields))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(error.retry_after * 1000))
        details.append(retry)
    return status_pb2.Status(
        code=code_pb2.Code.Value(error.code),
        message=_cut(error.message),
        details=[_packed(detail) for detail in details],
    )


def _cut(message: str) -> str:
    message = _sendable(message)
    return message if len(message) <= WORDS else f"{message[: WORDS - 2]} …"


def _sendable(text: str) -> str:
    """Names out of files may hold what is no character."""
    return text.encode("utf-8", "replace").decode()


def _field(item: Violation) -> Any:
    return error_details_pb2.BadRequest.FieldViolation(
        field=_sendable(item.field), description=_sendable(item.message), reason=item.reason
    )


def _fitting(fields: Sequence[Any]) -> Iterator[Any]:
    """As many as there is room for, and how many there are besides."""
    size = 0
    for place, field in enumerate(fields):
        size += field.ByteSize()
        if size > ROOM:
            more = Violation("more", "NOT_SHOWN", f"{len(fields) - place} violations are not shown")
            yield _field(more)
            return
        yield field


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
