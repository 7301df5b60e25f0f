"""Who is admitted when: first come, first served, and the background gives way."""

import math

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from steer.engine.base import Done
from steer.engine.rows import Job, prepare
from steer.engine.scheduler import BACKGROUND_SHARE, BACKGROUND_TURN, Limits, Scheduler
from steer.errors import Overloaded, TooLarge
from tests.engine.plans import baseline, plan, prompt
from tests.helpers import engine, run, tokens

LIMITS = Limits(max_rows=16, kv_tokens=16 * 192, step_tokens=32, max_queue=24)


def job(rows: int = 1, length: int = 8, background: bool = False, at: float = 0.0) -> Job:
    """A job of ``rows`` rows with prompts of ``length`` tokens."""
    planned = plan(baseline(prompt(0, length)), samples=rows, measure=False, background=background)
    return Job(planned, lambda events: None, 256, at)


def admitted(scheduler: Scheduler) -> list[Job]:
    found = list(scheduler.admit())
    for one in found:
        one.admitted = 0.0
    return found


def test_the_background_gives_way_to_what_comes_after_it():
    scheduler = Scheduler(LIMITS)
    behind, ahead = [job(6, background=True) for _ in range(3)], job(4)
    scheduler.waiting.extend(behind)
    assert admitted(scheduler) == behind[:2]
    scheduler.waiting.append(ahead)
    assert admitted(scheduler) == [ahead]
    scheduler.running.remove(behind[0])
    assert admitted(scheduler) == []
    scheduler.running.remove(ahead)
    assert admitted(scheduler) == [behind[2]]


def test_none_is_admitted_in_the_background_while_another_kind_waits():
    scheduler = Scheduler(LIMITS)
    scheduler.waiting.extend([job(10), job(10), job(1, background=True)])
    assert len(admitted(scheduler)) == 1
    assert [one.slots for one in scheduler.waiting] == [10, 1]


def test_one_that_needs_more_than_its_share_runs_alone():
    scheduler = Scheduler(LIMITS)
    small, large = job(1), job(16, background=True)
    scheduler.waiting.extend([small, large])
    assert admitted(scheduler) == [small]
    scheduler.running.remove(small)
    assert admitted(scheduler) == [large]


def test_the_background_gets_what_is_left_of_one_step_in_so_many():
    scheduler = Scheduler(LIMITS)
    behind, ahead = job(1, 100, background=True), job(1, 31)
    for one in (behind, ahead):
        prepare(one)
        scheduler.running.append(one)
    steps = [dict(scheduler.next()) for _ in range(BACKGROUND_TURN)]
    first, second = ahead.prefixes[0].row, behind.prefixes[0].row
    assert steps == [{first: 30}] * (BACKGROUND_TURN - 1) + [{first: 30, second: 2}]
    # Nobody waits for anything else.
    scheduler.running.remove(ahead)
    assert all(dict(scheduler.next()) == {second: 32} for _ in range(BACKGROUND_TURN))


def test_the_queues_are_apart():
    scheduler = Scheduler(LIMITS)
    waiting = [job(16, background=True), *(job(8) for _ in range(3))]
    with pytest.raises(Overloaded, match="24 rows are waiting, at most 24 may"):
        scheduler.check(job(1), waiting)
    scheduler.check(job(1), waiting[:3])
    with pytest.raises(Overloaded, match="16 rows are waiting, at most 16 may"):
        scheduler.check(job(1, background=True), waiting)
    waiting[0].admitted = 0.0
    scheduler.check(job(1, background=True), waiting)
    with pytest.raises(TooLarge):
        scheduler.check(job(17, background=True), [])


def test_an_engine_gives_the_same_tokens_in_the_background():
    ids = prompt(3, 9)
    with engine() as running:
        plans = [plan(baseline(ids), background=background) for background in (False, True)]
        events = run(running, plans)
        ahead, behind = (events[one.request_id] for one in plans)
        assert isinstance(behind[-1], Done)
        assert tokens(behind, "baseline") == tokens(ahead, "baseline")


class Machine(RuleBasedStateMachine):
    """Jobs come and end in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler(LIMITS)
        self.clock = 0.0
        self.served: dict[bool, list[float]] = {True: [], False: []}

    @rule(
        rows=st.integers(1, LIMITS.max_rows),
        length=st.integers(2, 100),
        background=st.booleans(),
    )
    def come(self, rows: int, length: int, background: bool) -> None:
        self.clock += 1
        one = job(rows, length, background, self.clock)
        try:
            self.scheduler.check(one, [*self.scheduler.waiting, *self.scheduler.running])
        except (Overloaded, TooLarge):
            return
        self.scheduler.waiting.append(one)

    @rule()
    def admit(self) -> None:
        for one in self.scheduler.admit():
            one.admitted = self.clock
            self.served[one.background].append(one.arrived)
            if one.background:
                assert all(other.background for other in self.scheduler.waiting)
                self._within(1.0 if len(self.scheduler.running) == 1 else BACKGROUND_SHARE)

    @precondition(lambda self: self.scheduler.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        self.scheduler.running.remove(data.draw(st.sampled_from(self.scheduler.running)))

    @invariant()
    def nothing_is_overfull(self) -> None:
        self._within(1.0)

    @invariant()
    def each_kind_is_served_in_order(self) -> None:
        assert all(times == sorted(times) for times in self.served.values())

    def teardown(self) -> None:
        self.scheduler.running.clear()
        while self.scheduler.waiting:
            assert list(self.scheduler.admit()), "whatever was accepted runs at last"
            self.scheduler.running.clear()

    def _within(self, share: float) -> None:
        slots, positions = self.scheduler.rectangle()
        assert slots <= math.floor(share * LIMITS.max_rows)
        assert slots * positions <= share * LIMITS.kv_tokens


TestScheduler = Machine.TestCase
