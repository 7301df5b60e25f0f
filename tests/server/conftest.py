"""A real server on a unix socket, its event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import steer
from steer.server.app import Server
from steer.server.settings import Settings


@dataclass(frozen=True)
class Served:
    """A running server and a client of it."""

    server: Server
    client: steer.Client

    @property
    def address(self) -> str:
        return self.server.address

    def load(self) -> tuple[int, int]:
        """Rows running and rows waiting."""
        core = self.server._steering.core
        assert core is not None
        return core.engine.load()


Serve = Callable[..., Served]


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[Served]:
    """Serve organism A1 until the block is left, with a store of its own over the bundled one."""
    own = {"address": f"unix:{folder / 'socket'}", "store": str(folder / "store"), "threads": 1}
    chosen = Settings(**own | settings)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> Server:
        server = Server(chosen)
        await server.start()
        return server

    try:
        server = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
        try:
            with steer.Client(server.address, timeout=60) as client:
                yield Served(server, client)
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a module."""
    with serving(tmp_path_factory.mktemp("s")) as running:
        yield running


@pytest.fixture
def client(served: Served) -> steer.Client:
    """A client of it."""
    return served.client


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Servers with other settings: ``serve(max_rows=4)``."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            serving(tmp_path_factory.mktemp("s"), **settings)
        )
