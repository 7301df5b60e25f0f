"""What fails takes nothing else with it: a step, memory that runs out, the engine's own thread."""

import queue
from dataclasses import replace

import pytest
import torch

from steer.engine.base import Done, Failed
from steer.engine.embedded import kv, loop
from steer.errors import ServerError, TooLarge, Unavailable
from steer.intervene.bank import Bank
from steer.types import Site
from tests.engine.plans import arm, baseline, edit, plan, prompt, vector
from tests.engine.treatments import cosine
from tests.helpers import engine, finished, run, tokens


def steered(length: int = 9, max_tokens: int = 4):
    ids = prompt(1, length)
    item = edit("add", {Site(0): vector(1), Site(2): vector(2)})
    return plan(baseline(ids), arm("steered", ids, item), max_tokens=max_tokens)


def failing(monkeypatch, module, name, error, call=1):
    """Let the ``call``-th call of a function raise, after it has done its work."""
    function, calls = getattr(module, name), []

    def wrapped(*args):
        found = function(*args)
        calls.append(1)
        if len(calls) == call:
            raise error
        return found

    monkeypatch.setattr(module, name, wrapped)


def test_what_a_failed_step_did_is_in_nobodys_receipt(monkeypatch):
    with engine() as running:
        first = steered()
        wanted = finished(run(running, [first])[first.request_id], "steered").receipts
        failing(monkeypatch, loop, "forward", RuntimeError("no"))
        second, third = steered(), steered()
        failed = run(running, [second])[second.request_id][-1]
        assert isinstance(failed, Failed) and isinstance(failed.error, ServerError)
        assert finished(run(running, [third])[third.request_id], "steered").receipts == wanted


@pytest.mark.parametrize("call", range(1, 6))
def test_memory_that_runs_out_when_the_rectangle_grows_leaves_no_half_of_it(monkeypatch, call):
    with engine() as running:
        small, large, again = steered(), steered(100), steered(100)
        run(running, [small])
        failing(monkeypatch, kv.KV, "_moved", torch.OutOfMemoryError("no"), call)
        failed = run(running, [large])[large.request_id][-1]
        assert isinstance(failed, Failed) and isinstance(failed.error, TooLarge)
        events = run(running, [again])[again.request_id]
    with engine() as fresh:
        alone = steered(100)
        expected = run(fresh, [alone])[alone.request_id]
    for name in ("baseline", "steered"):
        assert tokens(events, name) == tokens(expected, name)


@pytest.mark.parametrize("call", [1, 2, 3])
def test_memory_that_runs_out_for_directions_leaves_none_of_them(monkeypatch, call):
    gate = cosine(Site(1), 3, 0.5).planned
    item = replace(steered().arms[1].interventions[0], gate=gate)
    one, again = (plan(baseline(ids), arm("gated", ids, item)) for ids in 2 * [prompt(1, 9)])
    with engine() as running:
        failing(monkeypatch, Bank, "_take", torch.OutOfMemoryError("no"), call)
        failed = run(running, [one])[one.request_id][-1]
        assert isinstance(failed, Failed) and isinstance(failed.error, TooLarge)
        (desk,) = running._loop._steering._desks.values()
        assert desk.bank._uses == {}
        assert sorted(desk.ledger._free) == list(range(256))
        assert isinstance(run(running, [again])[again.request_id][-1], Done)


def test_cancelling_twice_is_as_cancelling_once():
    with engine() as running:
        endless, after = steered(max_tokens=200), steered()
        inbox = queue.SimpleQueue()
        running.submit(endless, inbox.put)
        running.cancel(endless.request_id)
        running.cancel(endless.request_id)
        assert isinstance(run(running, [after])[after.request_id][-1], Done)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_when_its_thread_ends_nobody_waits_for_ever(monkeypatch):
    """As after an error of the device, of which every later call fails too."""
    with engine() as running:
        monkeypatch.setattr(loop.Loop, "step", lambda self: 1 / 0)
        monkeypatch.setattr(loop.Loop, "fail", lambda self, job, error: 1 / 0)
        one = steered()
        failed = run(running, [one], timeout=20)[one.request_id][-1]
        assert isinstance(failed, Failed) and isinstance(failed.error, Unavailable)
        with pytest.raises(Unavailable):
            running.submit(steered(), print)
        with pytest.raises(Unavailable):
            running.norms((1, 2), ())
        with pytest.raises(Unavailable):
            running.borrow(print)
