"""The synchronous client."""

import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TypeVar, Unpack

import grpc

from steer.client import calls
from steer.client.arms import Treatment
from steer.client.assembly import Assembling, Assembly, Event
from steer.client.attempts import Attempts
from steer.client.calls import Call, Sending
from steer.client.captures import Capture, CaptureAssembly, CaptureEvent
from steer.client.channel import Endpoint, closed
from steer.client.prompts import PromptLike
from steer.client.recipe_store import Recipes
from steer.client.requests import ArmOptions, CaptureOptions, TrialOptions
from steer.client.results import Comparison, Scores, Tokenized
from steer.client.runs import Runs
from steer.client.status import to_error
from steer.client.stream import Stream
from steer.client.vector_store import Vectors
from steer.types import Message, ModelInfo

T = TypeVar("T")
R = TypeVar("R")


class Client:
    """A connection to one server; share it between threads and close it at the end.

    ``target``: ``HOST:PORT`` or ``unix:PATH``; else ``STEER_TARGET``, else 127.0.0.1:50051.
    ``token``: sent as bearer token; else ``STEER_TOKEN``. ``credentials``: of a TLS channel; None
    is plain text. ``timeout``: seconds for one call that says nothing else.

    Every method raises a ``steer.SteerError``. A full queue is tried again within the timeout,
    but for streams.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        token: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = 600.0,
    ) -> None:
        self._endpoint = Endpoint.of(target, token, credentials)
        self._connection = self._endpoint.channel()
        self._closed = False
        self._timeout = timeout
        self.vectors = Vectors(self)
        self.recipes = Recipes(self)
        self.runs = Runs(self)

    def compare(
        self,
        prompt: PromptLike | None = None,
        intervention: Treatment | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[TrialOptions],
    ) -> Comparison:
        """Run a trial and return it whole. A single intervention is the arm ``steered``; more
        go into ``arms={name: recipe}``. For the options see ``TrialOptions``."""
        return self._unary(calls.compare(prompt, intervention, options), timeout)

    def stream(
        self,
        prompt: PromptLike | None = None,
        intervention: Treatment | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[TrialOptions],
    ) -> Stream[Event, Comparison]:
        """Run a trial and stream its events: Started, Chunk, Finished, and a tuple of Measurement
        at the end. Arguments as in ``compare``."""
        return self._stream(calls.generate(prompt, intervention, options), Assembly(), timeout)

    def capture(
        self,
        prompt: PromptLike | None = None,
        intervention: Treatment | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[CaptureOptions],
    ) -> Capture:
        """Run a trial and return activations of its rows, or features, held in memory. For the
        options see ``CaptureOptions``; arms as in ``compare``."""
        stream = self.capture_stream(prompt, intervention, timeout=timeout, **options)
        return stream.result()

    def capture_stream(
        self,
        prompt: PromptLike | None = None,
        intervention: Treatment | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[CaptureOptions],
    ) -> Stream[CaptureEvent, Capture]:
        """The same as a stream of events: Started, Chunk, CapturedActivations, CapturedFeatures,
        Finished, and a tuple of HeldCapture at the end. The trial pauses while nobody reads."""
        call = calls.capture(prompt, intervention, options)
        return self._stream(call, CaptureAssembly(), timeout)

    def score(
        self,
        prompt: PromptLike | None,
        continuation: str | Iterable[int],
        intervention: Treatment | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[ArmOptions],
    ) -> Scores:
        """Log-probabilities of ``continuation`` (text or token ids) under each arm."""
        return self._unary(calls.score(prompt, continuation, intervention, options), timeout)

    def tokenize(
        self,
        prompt: PromptLike | None = None,
        *,
        messages: Iterable[Mapping[str, str] | Message] | None = None,
        token_ids: Iterable[int] | None = None,
        timeout: float | None = None,
    ) -> Tokenized:
        """Tokens of a prompt, as the other calls would read it."""
        return self._unary(calls.tokenize(prompt, messages, token_ids), timeout)

    def model(self, *, timeout: float | None = None) -> ModelInfo:
        """What is served."""
        return self._unary(calls.model(), timeout)

    def health(self, *, timeout: float = 5.0) -> bool:
        """Whether the server serves. Raises Unavailable when nothing answers."""
        return self._unary(calls.health(), timeout)

    @property
    def _channel(self) -> grpc.Channel:
        """Raises FailedPrecondition once it is closed, where gRPC raises ValueError."""
        if self._closed:
            raise closed()
        return self._connection

    def _stream(
        self, call: Call[Iterator[T]], assembly: Assembling[T, R], timeout: float | None
    ) -> Stream[T, R]:
        method = self._channel.unary_stream(call.method, **call.codec)
        limit = self._timeout if timeout is None else timeout
        rpc = method(call.request, timeout=limit, metadata=self._endpoint.metadata)
        return Stream(rpc, call.read, assembly)

    def _messages(self, call: Call[T], timeout: float | None) -> Iterator[T]:
        """What each message of a stream says. Leaving it cancels the call."""
        method = self._channel.unary_stream(call.method, **call.codec)
        limit = self._timeout if timeout is None else timeout
        rpc = method(call.request, timeout=limit, metadata=self._endpoint.metadata)
        try:
            for message in rpc:
                yield call.read(message)
        except grpc.RpcError as error:
            raise to_error(error) from None
        finally:
            rpc.cancel()

    def _send(self, call: Sending[T], timeout: float | None) -> T:
        """Stream a request. It is not tried again: what is sent may be large."""
        method = self._channel.stream_unary(call.method, **call.codec)
        limit = self._timeout if timeout is None else timeout
        try:
            answer = method(call.requests(), timeout=limit, metadata=self._endpoint.metadata)
        except grpc.RpcError as error:
            raise to_error(error) from None
        return call.read(answer)

    def _unary(self, call: Call[T], timeout: float | None = None) -> T:
        method = self._channel.unary_unary(call.method, **call.codec)
        attempts = Attempts(self._timeout if timeout is None else timeout)
        while True:
            try:
                answer = method(
                    call.request, timeout=attempts.remaining(), metadata=self._endpoint.metadata
                )
                return call.read(answer)
            except grpc.RpcError as error:
                failure = to_error(error)
            time.sleep(attempts.pause(failure))

    def close(self) -> None:
        """Close the connection; running calls end as cancelled."""
        self._closed = True
        self._connection.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
