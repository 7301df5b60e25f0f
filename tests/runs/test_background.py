"""Plans in the background: all are answered, as many at once as there is room, and they stop."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from steer.engine.embedded.engine import EmbeddedEngine
from steer.errors import Cancelled, FailedPrecondition, ServerError, TooLarge
from steer.intervene.plan import CapturePlan, Plan
from steer.runs.background import TRIES, Background
from steer.types import CapturedActivations, Phase, Range, Site, Where
from tests.engine.plans import arm, baseline, edit, plan, prompt, score, vector
from tests.helpers import finished, run, tokens

IDS = prompt(1, 6)
STEER = edit("add", {Site(1): vector(2)}, phase=Phase.DECODE)


def short(seed: int = 0, **settings: object) -> Plan:
    return plan(baseline(prompt(seed, 6)), measure=False, **settings)


def test_every_plan_is_answered_under_its_tag(context: Background, running: EmbeddedEngine):
    asked = plan(baseline(IDS), arm("steered", IDS, STEER), samples=2, temperature=1.0)
    events = run(running, [asked])[asked.request_id]
    given = dict(context.answers((tag, asked) for tag in range(20)))
    assert sorted(given) == list(range(20))
    for answer in given.values():
        assert [(chunk.arm, chunk.sample) for chunk, _ in answer.rows] == [
            (name, sample) for name in ("baseline", "steered") for sample in (0, 1)
        ]
        for chunk, end in answer.rows:
            assert list(chunk.token_ids) == tokens(events, chunk.arm, chunk.sample)
            assert end.receipts == finished(events, chunk.arm, chunk.sample).receipts
        assert answer.measurements == events[-1].measurements


def test_scores_are_answered_too(context: Background, running: EmbeddedEngine):
    asked = score(IDS, (5, 6, 7), arm("steered", IDS, STEER))
    done = run(running, [asked])[asked.request_id][-1]
    [(tag, answer)] = context.answers([("x", asked)])
    assert (tag, answer.rows, answer.scores) == ("x", (), done.scores)


def test_what_is_read_comes_with_the_answer(
    context: Background, running: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
):
    """Also where a plan brings more than may wait for a caller, and more than all may together."""
    sites = (Site(0), Site(2))
    where = Where(ranges=(Range(1, 5),), include_special_tokens=True)
    asked = replace(
        plan(baseline(IDS), arm("steered", IDS, STEER), measure=False, max_tokens=2),
        capture=CapturePlan(sites, (), where),
    )
    events = run(running, [asked])[asked.request_id]
    monkeypatch.setattr("steer.engine.rows.WINDOW", 256)
    monkeypatch.setattr("steer.runs.background.CAPTURED", 4 * 32 * 12)
    for _, answer in context.answers((tag, asked) for tag in range(5)):
        assert answer.captured.keys() == {("baseline", 0), ("steered", 0)}
        for (name, _), captured in answer.captured.items():
            assert captured.prompt_length == 6
            for site in sites:
                positions, values = captured.activations[site]
                alone = [e for e in events if isinstance(e, CapturedActivations)]
                data = b"".join(e.data for e in alone if (e.arm, e.site) == (name, site))
                assert positions == (1, 2, 3, 4)
                assert values.tobytes() == data
    assert [a.captured for _, a in context.answers([(0, short())])] == [{}]
    assert running.load() == (0, 0)


def test_what_a_plan_brings_is_reckoned_once(context: Background, monkeypatch: pytest.MonkeyPatch):
    """And not again for every plan that is launched after it."""
    reckoned = []
    monkeypatch.setattr("steer.runs.background._captured", lambda *of: reckoned.append(of) or 1)
    assert len(list(context.answers((tag, short(tag)) for tag in range(20)))) == 20
    assert len(reckoned) == 20


def test_plans_are_read_no_faster_than_there_is_room(context: Background):
    read = 0

    def plans() -> Iterator[tuple[int, Plan]]:
        nonlocal read
        for tag in range(60):
            read += 1
            yield tag, short(tag)

    most = 0
    for answered, _ in enumerate(context.answers(plans())):
        most = max(most, read - answered)
        time.sleep(0.01)  # slower than the engine
    assert read == 60
    # Six rows run at most, eight wait, one is held.
    assert most <= 15


def test_what_somebody_waits_for_is_served_meanwhile(context: Background, running: EmbeddedEngine):
    asked = short(max_tokens=100)
    answers = context.answers((tag, asked) for tag in range(30))
    next(answers)
    call = short(7)
    assert tokens(run(running, [call])[call.request_id], "baseline")
    left = sum(1 for _ in answers)
    assert left == 29
    assert running.load() == (0, 0)


def test_a_stop_frees_the_rows(context: Background, running: EmbeddedEngine):
    answers = context.answers((tag, short(max_tokens=200)) for tag in range(30))
    threading.Timer(0.05, context.stop.set).start()
    with pytest.raises(Cancelled):
        list(answers)
    call = short()  # waits until the engine has seen the cancellations
    run(running, [call])
    assert running.load() == (0, 0)


def test_leaving_frees_the_rows(context: Background, running: EmbeddedEngine):
    answers = context.answers((tag, short(max_tokens=200)) for tag in range(30))
    next(answers)
    answers.close()
    run(running, [short()])
    assert running.load() == (0, 0)


def test_a_plan_that_fails_is_told(context: Background, running: EmbeddedEngine):
    silent = edit("add", {Site(1): vector(2)}, phase=Phase.GENERATED, must_fire=True)
    bad = plan(baseline(IDS), arm("x", IDS, silent), max_tokens=1)
    with pytest.raises(FailedPrecondition, match="touched no token"):
        list(context.answers((tag, bad if tag == 3 else short(tag)) for tag in range(9)))
    with pytest.raises(TooLarge):
        list(context.answers([(0, short(samples=9))]))
    run(running, [short()])
    assert running.load() == (0, 0)


# How often each of the three fails depends on which of them shared a step.
@pytest.mark.parametrize("times", [TRIES - 1, 3 * TRIES])
def test_a_step_that_fails_is_tried_again(
    context: Background, running: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, times: int
):
    compute, left = running._loop._compute, times

    def failing(work: object) -> object:
        nonlocal left
        left -= 1
        if left >= 0:
            raise RuntimeError("a fault of the device")
        return compute(work)

    monkeypatch.setattr(running._loop, "_compute", failing)
    answers = context.answers([(tag, short(tag)) for tag in range(3)])
    if times < TRIES:
        assert sorted(tag for tag, _ in answers) == [0, 1, 2]
    else:
        with pytest.raises(ServerError, match="a fault of the device"):
            list(answers)


def test_an_engine_that_ends_stops_the_run(planner, store):
    from tests.helpers import engine

    with engine() as other:
        answers = Background(other, planner).answers(
            (tag, short(max_tokens=200)) for tag in range(50)
        )
        next(answers)
        other.close()
        with pytest.raises(Cancelled):
            list(answers)
