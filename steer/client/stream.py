"""Streams: iterate, or take the result. Leaving the loop or the ``with`` cancels the call."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc

from steer.client.assembly import Assembling
from steer.client.status import to_error

E = TypeVar("E")
R = TypeVar("R")


class Stream(Generic[E, R]):
    """Events of one call as they happen; ``result()`` is what they come to."""

    def __init__(
        self, rpc: Any, read: Callable[[Any], Iterator[E]], assembly: Assembling[E, R]
    ) -> None:
        self._rpc = rpc
        self._read = read
        self._assembly = assembly
        self._closed = False

    def __iter__(self) -> Iterator[E]:
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

    def result(self) -> R:
        """The rest of the stream, and all of it together."""
        for _ in self:
            pass
        return self._assembly.result()

    def close(self) -> None:
        """Cancel the call; the server frees its rows."""
        self._closed = True
        self._rpc.cancel()

    def __enter__(self) -> "Stream[E, R]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncStream(Generic[E, R]):
    """The same for asyncio."""

    def __init__(
        self, rpc: Any, read: Callable[[Any], Iterator[E]], assembly: Assembling[E, R]
    ) -> None:
        self._rpc = rpc
        self._read = read
        self._assembly = assembly
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[E]:
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

    async def result(self) -> R:
        """The rest of the stream, and all of it together."""
        async for _ in self:
            pass
        return self._assembly.result()

    async def close(self) -> None:
        """Cancel the call; the server frees its rows."""
        self._closed = True
        self._rpc.cancel()

    async def __aenter__(self) -> "AsyncStream[E, R]":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
