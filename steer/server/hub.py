"""From the engine's thread to asyncio: one hand-over for each step."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from steer.engine.base import Done, Engine, Event, Failed
from steer.intervene.plan import Plan

Events = Sequence[Event]


class Hub:
    """Gives each request its own stream of events. Made on the event loop it serves."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._inboxes: dict[str, asyncio.Queue[Events]] = {}

    @asynccontextmanager
    async def running(self, plan: Plan) -> AsyncIterator[AsyncIterator[Events]]:
        """Run a plan; leaving the block frees its rows by the next step, however it is left."""
        inbox: asyncio.Queue[Events] = asyncio.Queue()
        self._inboxes[plan.request_id] = inbox
        try:
            self._engine.submit(plan, self._sink)
            yield _events(inbox)
        finally:
            # In `finally`: a cancelled handler ends with CancelledError or GeneratorExit.
            del self._inboxes[plan.request_id]
            self._engine.cancel(plan.request_id)

    def _sink(self, batch: Sequence[tuple[str, Events]]) -> None:
        self._loop.call_soon_threadsafe(self._fan_out, batch)

    def _fan_out(self, batch: Sequence[tuple[str, Events]]) -> None:
        for request_id, events in batch:
            inbox = self._inboxes.get(request_id)
            if inbox is not None:
                inbox.put_nowait(events)


async def _events(inbox: "asyncio.Queue[Events]") -> AsyncIterator[Events]:
    """Events of each step until the last. Raises what the plan failed with."""
    while True:
        events = await inbox.get()
        last = events[-1]
        if isinstance(last, Failed):
            raise last.error
        yield events
        if isinstance(last, Done):
            return
