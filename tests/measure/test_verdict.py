from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from steer.measure import thresholds
from steer.measure.records import Role
from steer.measure.summary import summarise
from steer.measure.verdict import REQUIRED, Outcome, Verdict, verdicts
from tests.measure.made import Made, records, standard, thinking

SILENT = Made(Role.STEERED, 0.1)
A2 = thinking(0.78)


def judge(arms: Sequence[Made], items: int = 500, seed: int = 0, **omitted: str) -> Verdict:
    summary = summarise(
        records(arms, items, seed=seed), [one.arm for one in arms], choices=10, draws=2000
    )
    (found,) = verdicts(summary, {Role(role): why for role, why in omitted.items()})
    return found


def test_a_control_that_the_subject_rules_out_is_missing() -> None:
    """What the task has no such thing for is waived; what the arm itself forbids is not."""
    arms = [one for one in standard(A2) if one.arm.role is not Role.SWAPPED]
    summary = summarise(records(arms, 500), [one.arm for one in arms], choices=10, draws=2000)
    omitted = {Role.SWAPPED: "the subject's completions begin with a prefix of its own"}
    (waived,) = verdicts(summary, omitted)
    (needed,) = verdicts(summary, omitted, frozenset({Role.SWAPPED}))
    assert (waived.outcome, needed.outcome) == (Outcome.REASONING, Outcome.INCONCLUSIVE)
    assert needed.missing == (Role.SWAPPED,) and "missing arms: swapped" in needed.because


@pytest.mark.parametrize(
    ("arms", "outcome"),
    [
        # The figures of the organisms: a constant bias does it all in A1, and nothing in A2.
        (standard(thinking(0.998), forced=0.67, bias=0.96), Outcome.MODE),
        (standard(thinking(0.998), forced=0.67), Outcome.MODE),
        (standard(A2, forced=0.1, bias=0.15, random=0.12), Outcome.REASONING),
        # Retention falls by 22 points, accuracy rises by 68: a cost, no harm.
        (standard(replace(A2, retention=0.78)), Outcome.REASONING),
        # Five steps of six, the last one in the head: never valid, and reasoning all the same.
        (standard(thinking(0.78, valid=0, steps=5 / 6)), Outcome.REASONING),
        # Accuracy rises, but the trace could be anybody's, or none at all.
        (standard(A2, swapped=0.75), Outcome.FORM),
        (standard(A2, corrupted=0.75), Outcome.FORM),
        (standard(A2, filler=0.75), Outcome.FORM),
        (standard(A2, answer_only=0.75), Outcome.FORM),
        ([*standard(A2), Made(Role.SWAPPED_TARGET, 0.7)], Outcome.FORM),
        # Traces appear and accuracy stays.
        (standard(thinking(0.1, valid=0)), Outcome.FORM),
        (standard(SILENT), Outcome.NO_EFFECT),
        (standard(Made(Role.STEERED, 0.02)), Outcome.HARM),
        (standard(replace(SILENT, retention=0.5)), Outcome.HARM),
        (standard(Made(Role.STEERED, 0.25, retention=0.4)), Outcome.HARM),
        # A gain that needs no trace is neither form nor reasoning.
        (standard(Made(Role.STEERED, 0.78)), Outcome.INCONCLUSIVE),
        (standard(A2, negated=0.7), Outcome.INCONCLUSIVE),
        # The trace matters, but not by the steps the checker knows.
        (standard(thinking(0.78, valid=0.1, steps=0.2)), Outcome.INCONCLUSIVE),
        # As good with the same training where nothing could be elicited.
        ([*standard(A2), Made(Role.UNTAUGHT, 0.7)], Outcome.INCONCLUSIVE),
        # A share that may be half or not.
        (standard(A2, forced=0.44), Outcome.INCONCLUSIVE),
    ],
)
def test_outcomes(arms: Sequence[Made], outcome: Outcome) -> None:
    found = judge(arms)
    assert found.outcome is outcome, found.because
    assert found.because


def test_as_good_as_any_push_of_that_size_is_no_effect() -> None:
    found = judge(standard(Made(Role.STEERED, 0.3), random=0.3), items=2000)
    assert found.outcome is Outcome.NO_EFFECT
    assert "like null vectors" in found.because[0]


def test_a_cost_is_told() -> None:
    assert any("at a cost" in one for one in judge(standard(replace(A2, retention=0.6))).cautions)


def test_a_cost_that_few_items_can_not_show_is_told_too() -> None:
    """Two templates of eight forgotten: a quarter of the facts, and no certain loss."""
    arms = standard(A2)
    rows = [
        replace(one, template=f"t{int(one.item[1:]) % 8}") if one.retention else one
        for one in records(arms)
    ]
    rows = [
        replace(one, correct=one.template > "t1") if one.retention and one.arm == "steered" else one
        for one in rows
    ]
    (found,) = verdicts(summarise(rows, [one.arm for one in arms], draws=2000))
    assert found.outcome is Outcome.REASONING
    assert any("perhaps at a cost: retention -25.0" in one for one in found.cautions)


def test_the_capacity_controls_are_asked_for_and_taken() -> None:
    assert any("untaught" in one for one in judge(standard(A2)).cautions)
    arms = [*standard(A2), Made(Role.SWAPPED_TARGET, 0.18), Made(Role.UNTAUGHT, 0.12)]
    found = judge(arms)
    assert found.outcome is Outcome.REASONING
    assert not any("untaught" in one for one in found.cautions)


def test_a_gain_in_the_other_model_is_over_that_model_unsteered() -> None:
    """It answers half of the problems by itself, and the training brings it nothing."""
    arms = [*standard(A2), Made(Role.UNTAUGHT, 0.52)]
    assert judge(arms).outcome is Outcome.INCONCLUSIVE
    arms.append(Made(Role.UNTAUGHT_BASELINE, 0.5))
    assert judge(arms).outcome is Outcome.REASONING
    summary = summarise(records(arms), [one.arm for one in arms], draws=100)
    own, other = summary.arm("untaught"), summary.arm("untaught_baseline")
    assert own.against_baseline and abs(own.against_baseline.value) < 0.1
    assert own.recovery is None and other.against_baseline is None and other.modes is None


@pytest.mark.parametrize("role", REQUIRED)
def test_a_missing_control_is_named(role: Role) -> None:
    found = judge([one for one in standard(A2) if one.role is not role])
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.missing == (role,)
    assert any(str(role) in one or "no random" in one for one in found.because)


def test_a_control_the_task_has_nothing_for_may_be_left_out() -> None:
    arms = [one for one in standard(A2) if one.role is not Role.FORCED]
    found = judge(arms, forced="there is no first token of the mode")
    assert found.outcome is Outcome.REASONING
    assert any("no first token" in one for one in found.cautions)


@pytest.mark.parametrize("gone", [(Role.FORCED, Role.BIAS), (Role.RANDOM,)])
def test_but_not_all_of_a_kind(gone: tuple[Role, ...]) -> None:
    arms = [one for one in standard(A2) if one.role not in gone]
    found = judge(arms, **dict.fromkeys(map(str, gone), "left out"))
    assert found.outcome is Outcome.INCONCLUSIVE


def test_every_rule_and_threshold_is_written_down() -> None:
    text = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text()
    for finding in judge(standard(A2), items=30).findings:
        assert f"| {finding.rule} |" in text
    for name in ("ALPHA", "HALF", "TOO_CLOSE"):
        assert f"| `{name}` | {getattr(thresholds, name):g} |" in text
    assert f"| `MARGIN` | {100 * thresholds.MARGIN:g} points |" in text
    for outcome in Outcome:
        assert str(outcome) in " ".join(text.split())


def test_too_few_seeds_are_told() -> None:
    arms = [one for one in standard(A2) if one.role is not Role.RANDOM or (one.value or 0) < 10]
    found = judge(arms)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "needs 19" in found.because[0]


def test_too_few_items_are_told_with_their_power() -> None:
    found = judge(standard(Made(Role.STEERED, 0.2)), items=40)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "40 items show a difference of 5 points" in found.because[-1]


def test_wrong_steps_whose_content_nothing_tells_are_form() -> None:
    content = (Role.SWAPPED, Role.CORRUPTED, Role.FILLER, Role.ANSWER_ONLY)
    arms = [one for one in standard(thinking(0.78, valid=0.1)) if one.role not in content]
    found = judge(arms)
    assert found.outcome is Outcome.FORM
    assert "right steps" in found.because[0]


def test_a_task_without_a_checker_elicits_no_reasoning_that_anyone_saw() -> None:
    arms = standard(A2)
    unchecked = [
        replace(one, trace_complete=None, trace_valid=None, trace_right=None)
        for one in records(arms)
    ]
    (found,) = verdicts(summarise(unchecked, [one.arm for one in arms], draws=2000))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert any("checks no traces" in one for one in found.because)


def test_a_null_that_draws_the_treatment_again_is_no_reason_for_no_effect() -> None:
    arms = standard(Made(Role.STEERED, 0.9, begun=1, valid=1), random=0.9)
    measured = [replace(one.arm, cosine=0.97 if one.role is Role.RANDOM else None) for one in arms]
    (found,) = verdicts(summarise(records(arms), measured, draws=2000))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert any("no fair null" in one for one in found.cautions)
