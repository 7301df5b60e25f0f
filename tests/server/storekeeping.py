"""A server of VectorService alone: the real service on a real channel, without a model."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import grpc

import steer
import steer.v1 as pb
from steer.errors import Unavailable
from steer.server.interceptor import Interceptor
from steer.server.vectors import VectorService
from steer.store import Store

MOST = 1 << 30


@dataclass(frozen=True)
class Kept:
    """A store, its server's address, a client and a channel of it."""

    store: Store
    address: str
    client: steer.Client
    channel: grpc.Channel

    @property
    def stub(self) -> pb.VectorServiceStub:
        return pb.VectorServiceStub(self.channel)

    @property
    def files(self) -> set[str]:
        """Every file in the store that is not an upload on its way."""
        root = Path(self.store.root)
        paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return {path.as_posix() for path in paths if path.parts[0] != ".uploads"}


@contextmanager
def listening(store: Store, address: str, most: int = MOST) -> Iterator[None]:
    """Serve a store until the block is left."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> grpc.aio.Server:
        server = grpc.aio.server(interceptors=[Interceptor()])
        service = VectorService(store, _no_model, most)
        pb.add_VectorServiceServicer_to_server(service, server)
        server.add_insecure_port(address)
        await server.start()
        return server

    try:
        server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(_stop(server), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: grpc.aio.Server) -> None:
    """Stop at once; handlers that were cancelled come to their end."""
    await server.stop(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(others, timeout=5) if others else None


@contextmanager
def keeping(folder: Path, store: Store | None = None, most: int = MOST) -> Iterator[Kept]:
    """Serve a store, by default a new one in the folder."""
    kept, address = store or Store(folder / "store"), f"unix:{folder / 'keeper'}"
    with (
        listening(kept, address, most),
        steer.Client(address, timeout=30) as client,
        grpc.insecure_channel(address) as channel,
    ):
        yield Kept(kept, address, client, channel)


def _no_model() -> NoReturn:
    raise Unavailable("the model is loading", reason="LOADING")
