"""The engine behind everything interactive: what kinds of runs get their answers from."""

import queue
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from steer.engine.base import Done, Engine, Event, Failed, size
from steer.engine.collector import CaptureCollector, RowCollector
from steer.errors import Cancelled, NotFound, Overloaded, ServerError, SteerError, Unavailable
from steer.intervene.plan import Plan
from steer.intervene.planner import Planner
from steer.intervene.where import edges
from steer.runs.kind import Answer, Archive, Json
from steer.specs import Run
from steer.store import Store
from steer.types import CapturedActivations, ModelInfo

T = TypeVar("T")

TRIES = 3
"""How often a plan is tried when a step fails: the fault can be that of another plan in it."""
POLL = 0.1
"""Seconds until a stop is noticed."""
CAPTURED = 2**28
"""Bytes of activations that plans under way may bring together; one that brings more runs alone."""


class NoArchive:
    """See ``runs.kind.Archive``: of what has no database."""

    def run(self, run_id: str) -> Run:
        """There is none."""
        raise NotFound(f"no run {run_id!r}", reason="RUN_NOT_FOUND")

    def results(self, run_id: str) -> Mapping[str, Json]:
        """None."""
        return {}


@dataclass(frozen=True)
class Background:
    """See ``runs.kind.Context``. ``stop``: set from outside to end what is under way. ``results``:
    the result of a unit, None where it has none. ``archive``: see ``Context.archive``."""

    engine: Engine
    planner: Planner
    stop: threading.Event = field(default_factory=threading.Event)
    results: Callable[[str], Json | None] = lambda key: None
    archive: Archive = field(default_factory=NoArchive)

    @property
    def model(self) -> ModelInfo:
        """See ``Context.model``."""
        return self.planner.model

    @property
    def store(self) -> Store:
        """See ``Context.store``."""
        return self.planner.store

    def done(self, key: str) -> Json | None:
        """See ``Context.done``."""
        return self.results(key)

    def borrow(self, work: Callable[[Any], T]) -> T:
        """See ``Context.borrow``."""
        try:
            loan = self.engine.borrow(work)
            while not wait([loan], POLL).done:
                # What has begun is soon over, and must not go on behind the run's back.
                if self.stop.is_set() and loan.cancel():
                    break
            if self.stop.is_set():
                raise Cancelled("the run was stopped")
            return loan.result()
        except Unavailable as error:
            raise Cancelled(error.message) from error

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
    """A plan under way. ``brings``: bytes of activations, at most."""

    tag: T
    plan: Plan
    brings: int = 0
    tries: int = 1
    rows: RowCollector = field(default_factory=RowCollector)
    captured: CaptureCollector = field(init=False)

    def __post_init__(self) -> None:
        self.captured = CaptureCollector(self.plan)

    def add(self, event: Event) -> None:
        if isinstance(event, CapturedActivations):
            self.captured.add(event)
        else:
            self.rows.add(event)

    def again(self) -> "_Flight[T]":
        return _Flight(self.tag, _own(self.plan), self.brings, self.tries + 1)

    def answer(self, done: Done) -> Answer:
        rows = () if self.plan.scoring else tuple(self.rows.ordered(self.plan))
        answers = (done.measurements, done.scores, self.captured.rows(), done.branches)
        return Answer(self.plan, rows, *answers)


class _Flights(Generic[T]):
    """As many plans at once as the engine takes."""

    def __init__(self, engine: Engine, plans: Iterable[tuple[T, Plan]]) -> None:
        self._engine, width = engine, engine.info().d_model
        self._coming = (_Flight(tag, _own(plan), _captured(plan, width)) for tag, plan in plans)
        self._held: list[_Flight[T]] = []
        self._flying: dict[str, _Flight[T]] = {}
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def launch(self) -> bool:
        """Submit what there is room for. False: nothing is left or under way."""
        while flight := self._held.pop() if self._held else next(self._coming, None):
            if not self._has_room(flight):
                self._held.append(flight)
                return True
            try:
                self._engine.submit(flight.plan, self._inbox.put)
            except Overloaded:
                self._held.append(flight)
                return True
            self._flying[flight.plan.request_id] = flight
        return bool(self._flying)

    def _has_room(self, flight: _Flight[T]) -> bool:
        """Whether what plans bring is bounded with this one too."""
        if not flight.brings or not self._flying:
            return True
        return flight.brings + sum(one.brings for one in self._flying.values()) <= CAPTURED

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
            flight.add(event)
        if taken := sum(map(size, events)):
            self._engine.took(flight.plan.request_id, taken)
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


def _captured(plan: Plan, width: int) -> int:
    """Bytes of activations that a plan brings at most."""
    if plan.capture is None:
        return 0
    positions = 0
    for arm in plan.arms:
        bounds = edges(plan.capture.where, len(arm.prompt))
        most = len(arm.prompt) + plan.sampling.max_tokens
        inside = zip(bounds[::2], bounds[1::2], strict=True)
        positions += sum(max(0, min(stop, most) - start) for start, stop in inside)
    return 4 * width * len(plan.capture.sites) * plan.samples * positions


def _may_pass(error: SteerError) -> bool:
    return isinstance(error, ServerError) or error.reason == "OUT_OF_MEMORY"
