"""Runs are executed once, in order, by one worker, whatever stops in between."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from steer import wire
from steer.engine.embedded.engine import EmbeddedEngine
from steer.errors import FailedPrecondition
from steer.intervene.planner import Planner
from steer.runs.claim import Claims
from steer.runs.database import Database
from steer.runs.kind import Context, Json, Unit
from steer.runs.ledger import Ledger
from steer.runs.worker import Worker
from steer.specs import EvaluateSpec, Run, RunSpec, RunState
from steer.types import Sampling
from tests.engine.plans import baseline, plan, prompt
from tests.helpers import run as run_plans
from tests.runs.items import a_run
from tests.runs.kinds import Completions, lines

KINDS: Mapping[str, Any] = {"evaluate": Completions()}
LEASE = 0.4

Start = Callable[..., Worker]


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def start(database: Database, running: EmbeddedEngine, planner: Planner) -> Iterator[Start]:
    """Workers, ended at the end."""
    workers: list[Worker] = []

    def begin(kind: object = None, **more: Any) -> Worker:
        kinds = KINDS if kind is None else {"evaluate": kind}
        given = {"engine": running, "planner": planner, "lease": LEASE, **more}
        worker = Worker(database, kinds, read=wire.run_spec_from_json, **given)
        workers.append(worker)
        return worker

    yield begin
    for worker in workers:
        worker.close()


def spec(count: int = 12, tokens: int = 8) -> RunSpec:
    sampling = Sampling(max_tokens=tokens, temperature=1.0, ignore_eos=True)
    return RunSpec(EvaluateSpec(lines(count), (), sampling=sampling))


def queue(
    ledger: Ledger, planner: Planner, run_id: str = "r", asked: RunSpec | None = None, **more: Any
) -> None:
    text = wire.run_spec_to_json(asked or spec())
    given = {"fingerprint": planner.model.fingerprint, **more}
    ledger.create(a_run(run_id, **given), text, "sha256:asked", ())


def until(ledger: Ledger, run_id: str, holds: Callable[[Run], bool], seconds: float = 60) -> Run:
    end = time.monotonic() + seconds
    while not holds(run := ledger.get(run_id)):
        assert time.monotonic() < end, run
        time.sleep(0.01)
    return run


def over(run: Run) -> bool:
    return run.state.final


def test_a_run_is_executed(start: Start, ledger: Ledger, planner: Planner):
    worker = start()
    queue(ledger, planner)
    worker.wake()
    run = until(ledger, "r", over)
    assert (run.state, run.total, run.done, run.attempts) == (RunState.SUCCEEDED, 12, 12, 1)
    assert ledger.report("r") == {"lines": 12, "tokens": 12 * 8}
    queue(ledger, planner, "again")
    worker.wake()
    until(ledger, "again", over)
    assert ledger.results("again") == ledger.results("r")


def test_runs_go_in_the_order_they_were_created(start: Start, ledger: Ledger, planner: Planner):
    for index in (2, 0, 1):
        queue(ledger, planner, f"r{index}", created=float(index))
    start()
    ended = [until(ledger, f"r{index}", over) for index in range(3)]
    times = [time for run in ended for time in (run.started, run.ended)]
    assert times == sorted(times)


def test_a_run_that_is_given_up_goes_on_where_it_was(
    start: Start, ledger: Ledger, planner: Planner, running: EmbeddedEngine
):
    queue(ledger, planner, asked=spec(24, 60))
    queue(ledger, planner, "whole", asked=spec(24, 60), created=2.0)
    first = start()
    until(ledger, "r", lambda run: run.done > 3)
    first.close()
    left = ledger.get("r")
    assert left.state is RunState.QUEUED
    assert 3 < left.done < 24
    done = ledger.results("r")
    start()
    run = until(ledger, "r", over)
    assert (run.state, run.attempts, run.done) == (RunState.SUCCEEDED, 2, 24)
    assert done.items() <= ledger.results("r").items()
    until(ledger, "whole", over)
    assert ledger.results("r") == ledger.results("whole")


def test_a_run_whose_worker_died_is_taken_over(
    start: Start, ledger: Ledger, planner: Planner, database: Database
):
    queue(ledger, planner)
    dead = Claims(database, "dead")
    claim = dead.take(dead.candidates()[0])
    assert claim is not None
    work = Completions().units(spec().work, None)
    claim.begin(work)
    claim.store(work[5], {"records": []})
    begun = time.monotonic()
    start()
    run = until(ledger, "r", over)
    assert time.monotonic() - begun > LEASE
    assert (run.state, run.attempts, run.done) == (RunState.SUCCEEDED, 2, 12)
    assert ledger.results("r")["line-5"] == {"records": []}


def test_a_run_whose_worker_lives_is_left_to_it(start: Start, ledger: Ledger, planner: Planner):
    held = Held()
    queue(ledger, planner)
    start(held)
    until(ledger, "r", lambda run: run.state is RunState.RUNNING)
    start()
    time.sleep(4 * LEASE)
    assert ledger.get("r").attempts == 1
    held.go.set()
    assert until(ledger, "r", over).attempts == 1


class Held(Completions):
    """Waits before it begins. Not slower than needed: until ``go``."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "go", threading.Event())

    go: threading.Event

    def units(self, spec: EvaluateSpec, context: Context) -> Sequence[Unit]:
        """As they are, later."""
        self.go.wait(30)
        return super().units(spec, context)


def test_cancelling_stops_a_run_and_keeps_what_it_has(
    start: Start, ledger: Ledger, planner: Planner, running: EmbeddedEngine
):
    queue(ledger, planner, asked=spec(200, 200))
    queue(ledger, planner, "next", created=2.0)
    start()
    until(ledger, "r", lambda run: run.done > 2)
    assert ledger.cancel("r").cancelling
    run = until(ledger, "r", over, 10)
    assert run.state is RunState.CANCELLED
    assert 2 < run.done < 200
    assert len(ledger.results("r")) == run.done
    assert until(ledger, "next", over).state is RunState.SUCCEEDED


def test_deleting_a_run_under_way_frees_its_rows(
    start: Start, ledger: Ledger, planner: Planner, running: EmbeddedEngine
):
    queue(ledger, planner, asked=spec(200, 200))
    start()
    until(ledger, "r", lambda run: run.done > 2)
    ledger.delete("r")
    queue(ledger, planner, "next")
    assert until(ledger, "next", over, 20).state is RunState.SUCCEEDED
    assert running.load() == (0, 0)


def test_a_cancelled_run_is_ended_by_a_server_of_another_model(
    start: Start, ledger: Ledger, planner: Planner, database: Database
):
    queue(ledger, planner, fingerprint="another")
    dead = Claims(database, "dead")
    assert dead.take(dead.candidates()[0])
    assert ledger.cancel("r").cancelling
    start()
    assert until(ledger, "r", over).state is RunState.CANCELLED


def test_runs_of_other_models_kinds_and_stores_are_left_alone(
    start: Start, ledger: Ledger, planner: Planner, caplog: pytest.LogCaptureFixture
):
    queue(ledger, planner, "model", fingerprint="another", created=1.0)
    queue(ledger, planner, "kind", kind="later", created=2.0)
    text = wire.run_spec_to_json(spec())
    elsewhere = a_run("store", fingerprint=planner.model.fingerprint, created=3.0)
    ledger.create(elsewhere, text, "sha256:asked", (f"v@sha256:{'0' * 64}",))
    for name in ("mine", "next"):  # each is looked for among all that wait
        queue(ledger, planner, name, created=4.0)
    start()
    until(ledger, "mine", over)
    until(ledger, "next", over)
    states = {ledger.get(name).state for name in ("model", "kind", "store")}
    assert states == {RunState.QUEUED}
    assert caplog.text.count("run store is left to another server") == 1


class Broken(Completions):
    """Fails after some results, each time in another way."""

    def __init__(self, error: Exception | None = None, result: Json = None) -> None:
        super().__init__()
        object.__setattr__(self, "how", (error, result))

    how: tuple[Exception | None, Json]

    def execute(
        self, spec: EvaluateSpec, units: Sequence[Unit], context: Context
    ) -> Iterator[tuple[Unit, Json]]:
        """Some, then none."""
        error, result = self.how
        yield units[0], {"records": []}
        if error:
            raise error
        if result is not None:
            yield units[1], result


@pytest.mark.parametrize(
    ("kind", "code", "reason", "message"),
    [
        (
            Broken(FailedPrecondition("no such task", reason="TASK_CHANGED")),
            "FAILED_PRECONDITION",
            "TASK_CHANGED",
            "no such task",
        ),
        (Broken(KeyError("x")), "INTERNAL", "INTERNAL", "KeyError: 'x'"),
        (Broken(), "INTERNAL", "INTERNAL", "11 units undone"),
        (Broken(result={"x": float("inf")}), "INTERNAL", "INTERNAL", "Out of range float"),
    ],
    ids=["told", "raised", "undone", "unstorable"],
)
def test_a_run_that_fails_says_why(
    start: Start, ledger: Ledger, planner: Planner, kind: Any, code: str, reason: str, message: str
):
    queue(ledger, planner)
    queue(ledger, planner, "next", created=2.0)
    worker = start(kind)
    run = until(ledger, "r", over)
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert (run.failure.code, run.failure.reason) == (code, reason)
    assert message in run.failure.message
    assert run.done == 1
    worker.close()
    start()
    assert until(ledger, "next", over).state is not RunState.QUEUED


def test_a_spec_nobody_can_read_fails_the_run(start: Start, ledger: Ledger, planner: Planner):
    given = a_run("r", fingerprint=planner.model.fingerprint)
    ledger.create(given, '{"later": {}}', "sha256:asked", ())
    start()
    failure = until(ledger, "r", over).failure
    assert failure is not None and failure.reason == "SPEC_UNREADABLE"


def test_interactive_calls_are_served_while_a_run_is_on(
    start: Start, ledger: Ledger, planner: Planner, running: EmbeddedEngine
):
    queue(ledger, planner, asked=spec(60, 150))
    start()
    until(ledger, "r", lambda run: run.done > 0)
    for seed in range(5):
        call = plan(baseline(prompt(seed, 6)), measure=False)
        run_plans(running, [call])
    assert ledger.get("r").state is RunState.RUNNING


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_database_that_fails_for_a_while_loses_nothing(
    start: Start,
    ledger: Ledger,
    planner: Planner,
    database: Database,
    caplog: pytest.LogCaptureFixture,
):
    """A disk that fills up during a run: SQLite's own errors, until there is room again."""
    full = limit(database)
    queue(ledger, planner, asked=spec(40, 20))
    worker = start()
    until(ledger, "r", lambda run: run.done > 3)
    full.set()
    end = time.monotonic() + 20
    while "on a disk that is full" not in caplog.text:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not over(ledger.get("r"))
    full.clear()
    worker.wake()
    run = until(ledger, "r", over)
    assert (run.state, run.done) == (RunState.SUCCEEDED, 40)
    queue(ledger, planner, "whole", asked=spec(40, 20))
    worker.wake()
    until(ledger, "whole", over)
    assert ledger.results("r") == ledger.results("whole")


def limit(database: Database) -> Event:
    """While it is set no new page fits into the file. Before anybody works with the database: who
    does must not meet listeners that change."""
    from sqlalchemy import event

    full = Event()

    def begin(connection: Any) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        most = pages if full.is_set() else 10**6
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    event.listen(database._writing, "begin", begin)
    return full


def test_two_workers_share_many_runs(start: Start, ledger: Ledger, planner: Planner):
    names = [f"r{index}" for index in range(6)]
    for index, name in enumerate(names):
        queue(ledger, planner, name, created=float(index))
    start(), start()
    ended = [until(ledger, name, over) for name in names]
    assert {run.state for run in ended} == {RunState.SUCCEEDED}
    assert {run.attempts for run in ended} == {1}
    assert all(ledger.results(name) == ledger.results("r0") for name in names)


def test_the_spec_of_a_run_decides_what_it_does(start: Start, ledger: Ledger, planner: Planner):
    asked = spec()
    other = replace(asked, work=replace(asked.work, sampling=Sampling(max_tokens=3)))
    queue(ledger, planner, "r", asked)
    queue(ledger, planner, "other", other, created=2.0)
    start()
    until(ledger, "other", over)
    assert ledger.report("other")["tokens"] <= 12 * 3 < ledger.report("r")["tokens"]
