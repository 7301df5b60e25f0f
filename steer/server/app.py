"""A server from start to drained stop."""

import asyncio
import gc
import ipaddress
import logging
import signal
import threading

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

import steer.v1 as pb
from steer.engine.embedded.engine import EmbeddedEngine
from steer.errors import FailedPrecondition, SteerError
from steer.server import logs
from steer.server.core import Core
from steer.server.interceptor import Interceptor
from steer.server.recipe_book import RecipeBook
from steer.server.recipes import RecipeService
from steer.server.run_office import RunOffice, open_database
from steer.server.runs import RunService
from steer.server.settings import Settings
from steer.server.steering import SteeringService
from steer.server.vectors import VectorService
from steer.store import Store, open_store
from steer.store.files import open_files
from steer.store.recipes import RecipeFiles

log = logging.getLogger("steer.server")

SERVICES = tuple(f"steer.v1.{name}Service" for name in ("Steering", "Vector", "Recipe", "Run"))
TIDY_EVERY = 86_400.0
"""Seconds."""
STOP_GRACE = 1.0
"""Seconds for streams that end by themselves; Health.Watch never does."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; running rows get ``drain_seconds`` to finish."""
    logs.set_up()
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    server, stop = Server(settings), asyncio.Event()
    engine = await server.start()
    # What is there now stays: it need not be gone through whenever garbage is collected, which
    # with a model's modules and a long list of vectors holds everything up for a while.
    gc.freeze()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    # Whoever runs this can start another; without its engine this one is of no use.
    watching = (engine, asyncio.get_running_loop(), stop)
    threading.Thread(target=_watch, args=watching, daemon=True).start()
    await stop.wait()
    stop.clear()
    log.info("draining; a second signal ends at once")
    stopping, again = (asyncio.ensure_future(one) for one in (server.stop(), stop.wait()))
    await asyncio.wait((stopping, again), return_when=asyncio.FIRST_COMPLETED)
    if not again.cancel():
        await server.stop(0)
    await stopping
    if engine.failed:
        raise SystemExit(1)


def _watch(engine: EmbeddedEngine, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    engine.join()
    if engine.failed:
        loop.call_soon_threadsafe(stop.set)


class Server:
    """One address, one model."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address = settings.address
        self._store = open_store(settings.store, with_bundled=settings.bundled)
        self._recipes = RecipeBook(RecipeFiles(open_files(self._store.root)))
        self._steering = SteeringService()
        self._runs = RunService()
        self._health = health.aio.HealthServicer()
        self._server = self._build()
        self._stopped = threading.Event()

    async def start(self) -> EmbeddedEngine:
        """Bind, load the model, then report SERVING. Raises when either fails."""
        _check_address(self.settings)
        port = _bind(self._server, self.settings.address)
        if self.settings.address.endswith(":0"):
            self.address = self.settings.address[:-1] + str(port)
        await self._set_health(HealthCheckResponse.NOT_SERVING)
        await self._server.start()
        # Not waited for, at the end neither: a store elsewhere may have very much to look through.
        threading.Thread(target=self._keep_tidy, daemon=True).start()
        try:
            database = await asyncio.to_thread(open_database, self.settings, self._store)
            core = await Core.start(self.settings, self._store, self._recipes)
            self._steering.core = core
            self._runs.office = RunOffice.begin(database, core, self.settings.lease_seconds)
        except BaseException:
            self._stopped.set()
            await self._server.stop(0)
            raise
        await self._set_health(HealthCheckResponse.SERVING)
        model = core.model
        log.info("serving %s (%s, %s) on %s", model.id, model.dtype, model.device, self.address)
        return core.engine

    async def stop(self, drain_seconds: float | None = None) -> None:
        """Refuse new trials, let running ones finish for a while, then stop."""
        seconds = self.settings.drain_seconds if drain_seconds is None else drain_seconds
        engine = self._steering.core.engine if self._steering.core is not None else None
        self._stopped.set()
        # In this order: a run whose worker does not know yet would fail by a draining engine, and
        # who is told NOT_SERVING is not served.
        self._runs.stop()
        if engine is not None:
            engine.drain(seconds)
        await self._health.enter_graceful_shutdown()
        await self._runs.close()
        if engine is not None:
            await asyncio.to_thread(engine.join)
        await self._server.stop(STOP_GRACE)
        self._runs.dispose()

    def _keep_tidy(self) -> None:
        _tidy(self._store)
        while not self._stopped.wait(TIDY_EVERY):
            _tidy(self._store)

    def _build(self) -> grpc.aio.Server:
        options = channel_options(self.settings.max_message_bytes)
        server = grpc.aio.server(interceptors=[Interceptor()], options=options)
        pb.add_SteeringServiceServicer_to_server(self._steering, server)
        most = self.settings.max_upload_bytes
        vectors = VectorService(self._store, self._steering.ready, most)
        pb.add_VectorServiceServicer_to_server(vectors, server)
        pb.add_RecipeServiceServicer_to_server(RecipeService(self._recipes), server)
        pb.add_RunServiceServicer_to_server(self._runs, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if self.settings.reflection:
            _add_reflection(server)
        return server

    async def _set_health(self, status: "HealthCheckResponse.ServingStatus") -> None:
        # The empty name is liveness: the process answers. The services are readiness.
        await self._health.set("", HealthCheckResponse.SERVING)
        for name in SERVICES:
            await self._health.set(name, status)


def channel_options(max_message_bytes: int) -> list[tuple[str, int]]:
    """Options of the server's end of connections. grpc ignores names that it does not know."""
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        # Lower than any client's keepalive: what pings more often is cut off, its calls with it.
        ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
        ("grpc.so_reuseport", 0),
    ]


def _bind(server: grpc.aio.Server, address: str) -> int:
    try:
        return int(server.add_insecure_port(address))
    except RuntimeError:
        raise FailedPrecondition(
            f"can not listen on {address}: it is in use, not of this machine, or not spelt "
            "HOST:PORT or unix:PATH; give another --address",
            reason="ADDRESS",
        ) from None


def _tidy(store: Store) -> None:
    """Look through the store, so that nobody waits for it, and clear away what crashes left."""
    try:
        log.info("%d vectors in %s", len(store.names()), store.root)
        for path in store.sweep():
            log.info("cleared away: %s", path)
    except SteerError as error:
        log.warning("%s", error.message)


def _add_reflection(server: grpc.aio.Server) -> None:
    from grpc_reflection.v1alpha import reflection

    names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)


def _check_address(settings: Settings) -> None:
    address = settings.address
    if address.startswith("unix:") or settings.insecure or _is_loopback(address.rpartition(":")[0]):
        return
    raise FailedPrecondition(
        f"{address} can be reached from other machines, and there is no authentication; "
        "use 127.0.0.1 or unix:PATH, or say --insecure if the network is your own",
        reason="INSECURE_ADDRESS",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
