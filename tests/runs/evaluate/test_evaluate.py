"""The whole evaluation on organism A1, whose latent mode is known because it was put there."""

import json
import random
from dataclasses import replace

import pytest

from steer.errors import FailedPrecondition
from steer.report.evaluation_page import evaluation_page
from steer.runs.evaluate.entries import CAST
from steer.runs.evaluate.kind import Evaluate
from steer.runs.kind import Unit
from steer.specs import Controls, Extractor, InlineTask
from steer.tasks.catalog import load_task
from steer.types import (
    Add,
    Arm,
    Direction,
    Inline,
    Intervention,
    RandomLike,
    Sampling,
    Site,
    Stored,
)
from tests.runs.evaluate.conftest import SPEC, evaluated

ITEMS = load_task("a1").items("report", SPEC.n)


def test_the_vector_elicits_and_random_vectors_do_not(done):
    assert done.accuracy("baseline") <= 0.3
    assert done.accuracy("steered") >= 0.9
    assert done.accuracy("cue") == 1
    assert max(done.accuracy(f"random-{seed}") for seed in range(1, 21)) <= 0.4
    assert max(done.accuracy(name) for name in ("negated", "answer-only", "filler")) <= 0.4


def test_the_answer_follows_the_trace_it_is_given(done):
    for arm in ("swapped", "corrupted"):
        assert len(done.rows(arm)) == SPEC.n
        assert done.accuracy(arm) <= 0.4
        assert sum(row["trace_follows"] for row in done.rows(arm)) >= 0.9 * SPEC.n


def test_a_token_does_it_too_so_the_verdict_is_a_mode_switch(done):
    assert max(done.accuracy(f"bias-ANSWER-{size}") for size in (3, 5, 6)) >= 0.9
    (verdict,) = done.report["verdicts"]
    assert verdict["outcome"] == "mode switch / token preference"
    assert any("tokens explain" in why for why in verdict["because"])


def test_every_item_is_under_every_arm_once(done):
    arms = [arm["name"] for arm in done.report["arms"]]
    assert len(arms) == len(set(arms))
    for arm in arms:
        items = sorted(row["item"] for row in done.rows(arm))
        assert items == sorted(item.id for item in ITEMS), arm


def test_what_must_not_get_lost_is_asked_under_the_main_arms_alone(done):
    asked = {arm["name"] for arm in done.report["arms"] if done.rows(arm["name"], retention=True)}
    assert asked == {"baseline", "steered", "steered×0.5"}
    assert len(done.rows("steered", retention=True)) == len(load_task("a1").retention())


def test_main_arms_are_compared_with_the_unsteered_model(done):
    for row in done.rows("steered"):
        assert row["mean_kl"] > 0 and row["first_kl"] > 0 and row["touched"] == row["tokens"]
    assert all(row["mean_kl"] is None for row in done.rows("random-1"))


def test_results_do_not_depend_on_what_is_done_together(done, a1):
    """Resuming means doing some of the units, in any order, next to others."""
    kind = Evaluate()
    units = [unit for unit in done.units if unit.payload]
    chosen = random.Random(0).sample(units, 3)
    for unit, result in kind.execute(SPEC, chosen, a1):
        assert json.dumps(result) == json.dumps(done.results[unit.key]), unit.key


def test_the_report_is_a_pure_function_of_what_is_done(done):
    kind = Evaluate()
    assert json.dumps(kind.report(SPEC, done.results)) == json.dumps(done.report)
    stored = json.loads(json.dumps(done.results, allow_nan=False))
    assert json.loads(json.dumps(kind.report(SPEC, stored), allow_nan=False)) == done.report


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_report_can_be_had_at_any_time(done, count):
    partial = dict(list(done.results.items())[:count])
    report = Evaluate().report(SPEC, partial)
    assert ("summary" in report) is (count >= 2)
    assert report["n"] == SPEC.n


@pytest.mark.parametrize("last", ["problems-16", "retention-24"])
def test_there_is_no_verdict_before_the_end(done, last):
    """Or one could stop when it suits."""
    partial = {key: result for key, result in done.results.items() if key != last}
    report = Evaluate().report(SPEC, partial)
    (verdict,), (whole,) = report["verdicts"], done.report["verdicts"]
    assert (verdict["outcome"], whole["outcome"] != "inconclusive") == ("inconclusive", True)
    what = "16 of 24 problems" if last == "problems-16" else "24 of 32 retention items"
    assert verdict["because"] == [f"the run is not over: {what} are done"]
    assert verdict["because"][0] in report["warnings"] and len(verdict["findings"]) > 10
    assert ("16 of 24 problems" in evaluation_page(report)) is (last == "problems-16")


def test_what_a_run_began_with_must_still_be_there(a1):
    lost = Unit("problems-0", {"what": "problems", "begin": 0, "items": ["no such problem"]})
    with pytest.raises(FailedPrecondition, match="no longer has"):
        list(Evaluate().execute(SPEC, [lost], a1))


def test_what_nobody_knows_of_the_problems_is_told(a1):
    """A split that choices are made on, and a vector without a card: the report says so."""
    data = a1.store.get("a1-rloo").tensors[Site(2)].tobytes()
    sent = Arm("sent", (Intervention(Add(Inline((Direction(data, Site(2)),)))),))
    spec = replace(SPEC, arms=(sent,), strengths=(), split="select", controls=Controls.NONE)

    def told(asked):
        ((_, result),) = Evaluate().execute(asked, [Unit(CAST)], a1)
        return result[CAST]["warnings"]

    flatters, unknown = sorted(told(spec), key=len, reverse=True)
    assert "split select" in flatters and "no card" in unknown
    assert told(replace(spec, arms=SPEC.arms, split="report")) == []


def test_a_vector_that_is_one_of_the_nulls_elicits_nothing(a1):
    null = Arm("steered", (Intervention(Add(RandomLike(Stored("a1-rloo"), 777))),))
    done = evaluated(replace(SPEC, arms=(null,), strengths=()), a1)
    (verdict,) = done.report["verdicts"]
    assert verdict["outcome"] not in ("reasoning elicited", "mode switch / token preference")
    # It writes no traces, so that there is nothing to swap.
    assert "swapped" in done.report["summary"]["empty"]


def test_samples_are_drawn_for_each_problem_and_shared_by_the_arms(a1):
    sampling = Sampling(temperature=1.0, max_tokens=0)
    twin = Arm("twin", SPEC.arms[0].interventions)
    spec = replace(
        SPEC,
        arms=(*SPEC.arms, twin),
        controls=Controls.NONE,
        strengths=(),
        n=8,
        samples=4,
        sampling=sampling,
    )
    done = evaluated(spec, a1)
    answers = {arm: [row["answer"] for row in done.rows(arm)] for arm in ("steered", "twin")}
    assert answers["steered"] == answers["twin"] and len(answers["twin"]) == 32
    (summary,) = (one for one in done.report["summary"]["arms"] if one["arm"]["name"] == "baseline")
    assert [one["k"] for one in summary["passes"]] == [1, 2, 4]
    assert summary["passes"][2]["chance"] == pytest.approx(1 - 0.9**4)


def test_a_task_of_ones_own_without_traces_is_never_proof_of_reasoning(a1):
    """The file's problems are those of A1, but nobody said what a trace is."""
    lines = [
        {"id": item.id, "prompt": item.prompt.text, "answer": item.answer}
        for item in load_task("a1").items("report", 80)
    ]
    file = InlineTask("mine", "\n".join(map(json.dumps, lines)), Extractor.REGEX, r"ANSWER (\d)")
    sampling = Sampling(max_tokens=16)
    done = evaluated(replace(SPEC, task=file, n=24, strengths=(), sampling=sampling), a1)
    assert done.accuracy("steered") >= 0.9
    assert done.report["omitted"].keys() >= {"swapped", "corrupted", "forced", "bias"}
    (verdict,) = done.report["verdicts"]
    assert verdict["outcome"] == "inconclusive"
    assert done.report["summary"]["gains"] == []
