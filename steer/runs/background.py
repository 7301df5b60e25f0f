"""The engine behind everything interactive: what kinds of runs get their answers from."""

import queue
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from steer.engine.base import Done, Engine, Event, Failed
from steer.engine.collector import RowCollector
from steer.errors import Cancelled, Overloaded, ServerError, SteerError, Unavailable
from steer.intervene.plan import Plan
from steer.intervene.planner import Planner
from steer.runs.kind import Answer
from steer.store import Store
from steer.types import ModelInfo

T = TypeVar("T")

TRIES = 3
"""How often a plan is tried when a step fails: the fault can be that of another plan in it."""
POLL = 0.1
"""Seconds until a stop is noticed."""


@dataclass(frozen=True)
class Background:
    """See ``runs.kind.Context``. ``stop``: set from outside to end what is under way."""

    engine: Engine
    planner: Planner
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def model(self) -> ModelInfo:
        """See ``Context.model``."""
        return self.planner.model

    @property
    def store(self) -> Store:
        """See ``Context.store``."""
        return self.planner.store

    def answers(self, plans: Iterable[tuple[T, Plan]]) -> Iterator[tuple[T, Answer]]:
        """See ``Context.answers``."""
        flights = _Flights(self.engine, plans)
        try:
            while flights.launch():
                yield from flights.landed(POLL)
                if self.stop.is_set():
                    raise Cancelled("the run was stopped")
        except Unavailable as error:
            raise Cancelled(error.message) from error
        finally:
            flights.cancel()


@dataclass(eq=False)
class _Flight(Generic[T]):
    """A plan under way."""

    tag: T
    plan: Plan
    tries: int = 1
    rows: RowCollector = field(default_factory=RowCollector)

    def again(self) -> "_Flight[T]":
        return _Flight(self.tag, _own(self.plan), self.tries + 1)

    def answer(self, done: Done) -> Answer:
        rows = () if self.plan.scoring else tuple(self.rows.ordered(self.plan))
        return Answer(self.plan, rows, done.measurements, done.scores)


class _Flights(Generic[T]):
    """As many plans at once as the engine takes."""

    def __init__(self, engine: Engine, plans: Iterable[tuple[T, Plan]]) -> None:
        self._engine = engine
        self._coming = (_Flight(tag, _own(plan)) for tag, plan in plans)
        self._held: list[_Flight[T]] = []
        self._flying: dict[str, _Flight[T]] = {}
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def launch(self) -> bool:
        """Submit what there is room for. False: nothing is left or under way."""
        while flight := self._held.pop() if self._held else next(self._coming, None):
            try:
                self._engine.submit(flight.plan, self._inbox.put)
            except Overloaded:
                self._held.append(flight)
                return True
            self._flying[flight.plan.request_id] = flight
        return bool(self._flying)

    def landed(self, seconds: float) -> Iterator[tuple[T, Answer]]:
        """What has ended, waiting for it a while. Raises what a plan failed with.

        Everything is taken before more is launched, so that a slow reader bounds what waits.
        """
        with suppress(queue.Empty):
            while True:
                for request_id, events in self._inbox.get(timeout=seconds):
                    done = self._take(self._flying[request_id], events)
                    if done is not None:
                        flight = self._flying.pop(request_id)
                        yield flight.tag, flight.answer(done)
                seconds = 0.0

    def _take(self, flight: _Flight[T], events: Sequence[Event]) -> Done | None:
        for event in events:
            flight.rows.add(event)
        match events[-1]:
            case Done() as done:
                return done
            case Failed(error):
                del self._flying[flight.plan.request_id]
                if flight.tries == TRIES or not _may_pass(error):
                    raise error
                self._held.append(flight.again())
        return None

    def cancel(self) -> None:
        """Free the rows of all that is under way."""
        for request_id in self._flying:
            self._engine.cancel(request_id)


def _own(plan: Plan) -> Plan:
    return replace(plan, request_id=f"run-{uuid.uuid4().hex}", background=True, deadline=None)


def _may_pass(error: SteerError) -> bool:
    return isinstance(error, ServerError) or error.reason == "OUT_OF_MEMORY"
