"""Runs that work with the network themselves, and that look up what they have done."""

import threading
from pathlib import Path

import pytest
import torch

from steer.engine.embedded.engine import EmbeddedEngine
from steer.errors import Cancelled
from steer.runs.background import Background
from steer.runs.claim import Claims
from steer.runs.database import Database
from steer.runs.kind import Unit
from steer.runs.ledger import Ledger
from tests.engine.plans import baseline, plan, prompt
from tests.helpers import engine, run, tokens
from tests.runs.items import a_run


def width(network: torch.nn.Module) -> int:
    return int(network.get_input_embeddings().weight.shape[1])


def test_work_is_done_on_the_network(context: Background) -> None:
    assert context.borrow(width) == 32


def test_what_work_raises_is_told(context: Background) -> None:
    def work(network: object) -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        context.borrow(work)


def test_somebody_who_waits_is_served_between_loans(
    context: Background, running: EmbeddedEngine
) -> None:
    asked = plan(baseline(prompt(1, 6)), max_tokens=20)
    for _ in range(3):
        context.borrow(width)
        assert tokens(run(running, [asked])[asked.request_id], "baseline")


def test_a_stop_ends_the_wait(context: Background, running: EmbeddedEngine) -> None:
    begun, go = threading.Event(), threading.Event()
    other = running.borrow(lambda network: (begun.set(), go.wait(60)))
    assert begun.wait(60)
    threading.Timer(0.05, context.stop.set).start()
    called: list[object] = []
    with pytest.raises(Cancelled):
        context.borrow(called.append)
    go.set()
    other.result(60)
    running.borrow(width).result(60)
    assert called == []


def test_an_engine_that_ends_stops_the_run(planner) -> None:
    with engine() as other:
        context = Background(other, planner)
        other.drain(60)
        with pytest.raises(Cancelled):
            context.borrow(width)


def test_results_of_a_run_are_looked_up_by_key(tmp_path: Path) -> None:
    database = Database(tmp_path / "runs.sqlite")
    try:
        Ledger(database).create(a_run("one"), "{}", "hash", ())
        claims = Claims(database, "me")
        claim = claims.take(claims.candidates()[0])
        assert claim is not None
        claim.begin([Unit("a"), Unit("b")])
        claim.store(Unit("a"), {"records": [], "x": 1})
        context = Background(None, None, results=claim.result)  # type: ignore[arg-type]
        assert context.done("a") == {"records": [], "x": 1}
        assert context.done("b") is None and context.done("c") is None
    finally:
        database.close()
