"""Streams: iterate, or take the result. Leaving the loop or the ``with`` cancels the call."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any

import grpc

from steer.client.assembly import Assembly, Event
from steer.client.results import Comparison
from steer.client.status import to_error

Read = Callable[[Any], Iterator[Event]]


class Stream:
    """Events of one trial as they happen: Started, Chunk, Finished, a tuple of Measurement."""

    def __init__(self, rpc: Any, read: Read) -> None:
        self._rpc = rpc
        self._read = read
        self._assembly = Assembly()
        self._closed = False

    def __iter__(self) -> Iterator[Event]:
        try:
            for message in self._rpc:
                for event in self._read(message):
                    self._assembly.take(event)
                    yield event
        except grpc.RpcError as error:
            if not self._closed:
                raise to_error(error) from None
        finally:
            self._rpc.cancel()

    def result(self) -> Comparison:
        """The rest of the stream, and all of it as one comparison."""
        for _ in self:
            pass
        return self._assembly.result()

    def close(self) -> None:
        """Cancel the call; the server frees its rows."""
        self._closed = True
        self._rpc.cancel()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncStream:
    """The same for asyncio."""

    def __init__(self, rpc: Any, read: Read) -> None:
        self._rpc = rpc
        self._read = read
        self._assembly = Assembly()
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[Event]:
        try:
            async for message in self._rpc:
                for event in self._read(message):
                    self._assembly.take(event)
                    yield event
        except grpc.RpcError as error:
            if not self._closed:
                raise to_error(error) from None
        except asyncio.CancelledError:
            # Closing cancels the call alone; any other cancellation is the task's and goes on.
            if not self._closed:
                raise
        finally:
            self._rpc.cancel()

    async def result(self) -> Comparison:
        """The rest of the stream, and all of it as one comparison."""
        async for _ in self:
            pass
        return self._assembly.result()

    async def close(self) -> None:
        """Cancel the call; the server frees its rows."""
        self._closed = True
        self._rpc.cancel()

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
