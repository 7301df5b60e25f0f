import random
import time
from dataclasses import replace

import pytest

from steer.errors import InvalidRequest
from steer.measure.gain import GainRecord
from steer.measure.paired import paired_difference
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.statistics import holm, wilson
from steer.measure.summary import summarise
from tests.measure.made import Made, record, records, standard, thinking

BASE, V = MeasuredArm("base", Role.BASELINE), MeasuredArm("v", Role.STEERED)


def test_an_arm_against_the_baseline() -> None:
    arms = standard(thinking(0.7, retention=0.8))
    rows = records(arms, items=60, facts=20)
    summary = summarise(rows, [one.arm for one in arms], choices=10, draws=500)
    found = summary.arm("steered")
    right = {
        arm: [one.correct for one in rows if one.arm == arm and not one.retention]
        for arm in ("baseline", "steered")
    }
    expected = paired_difference(right["steered"], right["baseline"], draws=500)
    assert found.against_baseline is not None
    assert found.against_baseline.value == pytest.approx(expected.value)
    assert found.against_baseline.p == expected.p
    assert (found.accuracy.low, found.accuracy.high) == wilson(sum(right["steered"]), 60)
    assert found.modes is not None
    assert found.modes.delta == pytest.approx(expected.value)
    assert found.passes[0].value == pytest.approx(found.accuracy.value)
    assert found.traces.begun is not None and found.traces.begun.value == 1
    assert found.traces.valid_when_right is not None
    assert found.traces.valid_when_right.value > 0.9
    assert found.retention is not None and found.retention.n == 20
    assert found.retention_against_baseline is not None
    assert (summary.items, summary.retention_items, summary.clusters) == (60, 20, 60)


def test_the_baseline_is_compared_with_nothing() -> None:
    arms = standard(thinking(0.7))
    summary = summarise(records(arms, 30, 5), [one.arm for one in arms], draws=50)
    found = summary.arm("baseline")
    assert (found.against_baseline, found.modes, found.coverage, found.recovery) == (None,) * 4
    assert found.retention_against_baseline is None


def test_the_order_of_records_changes_nothing() -> None:
    arms = standard(thinking(0.6))
    rows = [replace(one, template=f"t{int(one.item[1:]) % 7}") for one in records(arms, 30, 5)]
    shuffled = random.Random(1).sample(rows, len(rows))
    measured = [one.arm for one in arms]
    assert summarise(rows, measured, draws=100) == summarise(shuffled, measured, draws=100)


def test_families_are_corrected_on_their_own() -> None:
    """Accuracy and retention of the steered arm together, whatever the number of controls."""
    arms = standard(thinking(0.3, retention=0.7))
    summary = summarise(records(arms, 80, 40), [one.arm for one in arms], draws=50)
    found = summary.arm("steered")
    accuracy, retention = found.against_baseline, found.retention_against_baseline
    assert accuracy is not None and retention is not None
    assert (accuracy.p_holm, retention.p_holm) == holm([accuracy.p, retention.p])
    assert summary.families["treatments"] == ("steered",)
    assert summary.families["substitutes"] == (
        "ceiling",
        *(f"bias-{i}" for i in range(6)),
        "forced",
        "filler",
    )
    tests = [
        of
        for name in summary.families["substitutes"]
        for of in (
            summary.arm(name).against_baseline,
            summary.arm(name).retention_against_baseline,
        )
        if of
    ]
    assert [one.p_holm for one in tests] == list(holm([one.p for one in tests]))


def test_families_can_be_said() -> None:
    arms = standard(thinking(0.3))
    rows, measured = records(arms, 40, 0), [one.arm for one in arms]
    summary = summarise(rows, measured, families={"all": tuple(Role)}, draws=50)
    everyone = [one.against_baseline for one in summary.arms if one.against_baseline]
    assert [one.p_holm for one in everyone] == list(holm([one.p for one in everyone]))


def test_templates_are_clusters_and_samples_belong_to_items() -> None:
    rows = [
        record(arm, f"{template}{i}", (i + sample) % 3 == 0, sample=sample, template=template)
        for arm in ("base", "v")
        for template in "abcdef"
        for i in range(4)
        for sample in range(2)
    ]
    found = summarise(rows, [BASE, V], draws=100)
    assert (found.items, found.clusters) == (24, 6)
    steered = found.arm("v")
    assert (steered.items, steered.samples) == (24, 48)
    assert steered.by_sample is not None and steered.by_sample.n == 2
    assert [one.k for one in steered.passes] == [1, 2]
    assert steered.against_baseline is not None
    assert (steered.against_baseline.n, steered.against_baseline.clusters) == (24, 6)


def test_coverage_and_modes_pair_items_and_samples() -> None:
    rows = [
        record("base", "1", True, sample=0),
        record("base", "1", False, sample=1),
        record("base", "2", False, sample=0),
        record("v", "1", False, sample=0),
        record("v", "1", True, sample=1),
        record("v", "2", True, sample=0),
        record("v", "3", True, sample=0),
    ]
    found = summarise(rows, [BASE, V], draws=50).arm("v")
    assert found.modes is not None and found.coverage is not None
    assert (found.modes.n, found.modes.corrected, found.modes.overthought) == (3, 2 / 3, 1 / 3)
    assert (found.coverage.items, found.coverage.both, found.coverage.only_arm) == (2, 1, 1)


def test_gap_recovery_is_undefined_when_the_ceiling_is_the_baseline() -> None:
    arms = [Made(Role.BASELINE, 0.5), Made(Role.STEERED, 0.6), Made(Role.CEILING, 0.5)]
    summary = summarise(records(arms, 200), [one.arm for one in arms], draws=100)
    recovery = summary.arm("steered").recovery
    assert recovery is not None and recovery.value is None
    assert any("gap recovery is undefined" in one for one in summary.warnings)


def test_a_sample_that_tells_nothing_is_warned_about_with_its_power() -> None:
    arms = [Made(Role.BASELINE, 0.1), Made(Role.STEERED, 0.15)]
    (found,) = (
        one
        for one in summarise(records(arms, 40), [one.arm for one in arms], draws=100).warnings
        if "too small" in one
    )
    assert "40 items show a difference of 5 points" in found


def test_no_retention_items_are_warned_about() -> None:
    arms = standard(thinking(0.7))
    summary = summarise(records(arms, 30, 0), [one.arm for one in arms], draws=50)
    assert any("no retention items" in one for one in summary.warnings)


def test_doses_are_in_order_with_the_steered_arm_among_them() -> None:
    arms = [
        Made(Role.BASELINE, 0.1),
        Made(Role.STEERED, 0.9, value=1.0),
        Made(Role.DOSE, 0.0, value=4.0, of="steered", name="×4"),
        Made(Role.DOSE, 0.5, value=0.5, of="steered", name="×0.5"),
    ]
    (effect,) = summarise(records(arms, 50), [one.arm for one in arms], draws=50).effects
    assert [(dose.strength, dose.arm) for dose in effect.doses] == [
        (0.5, "×0.5"),
        (1.0, "steered"),
        (4.0, "×4"),
    ]


def test_information_gain_comes_along() -> None:
    row = GainRecord("v", "1", "", 1, -2.0, (-1.0,))
    summary = summarise([record("base", "1", True)], [BASE, V], gains=[row], draws=50)
    assert [one.arm for one in summary.gains] == ["v"]


@pytest.mark.parametrize("share", [0, 1, 7, 20])
def test_a_run_that_is_not_finished_has_a_summary(share: int) -> None:
    arms = standard(thinking(0.7))
    rows = records(arms, 20, 4)
    some = rows[: len(rows) * share // 20]
    summary = summarise(some, [one.arm for one in arms], choices=10, draws=50)
    measured = {one.arm for one in some if not one.retention}
    assert {one.arm.name for one in summary.arms} == measured
    assert set(summary.empty) == {one.arm.name for one in arms} - measured


def test_without_a_baseline_yet_there_is_no_effect() -> None:
    summary = summarise([record("v", "1", True)], [BASE, V], draws=50)
    assert summary.effects == ()
    assert summary.arm("v").accuracy.value == 1


BAD: list[tuple[list[Record], list[MeasuredArm], str]] = [
    ([], [V], "baseline"),
    ([], [BASE, BASE], "used 2 times"),
    ([], [BASE, MeasuredArm("r", Role.RANDOM, of="v")], "no steered arm"),
    ([], [BASE, MeasuredArm("d", Role.DOSE)], "must say its value"),
    ([], [BASE, MeasuredArm("t", Role.TRUNCATED, 1.5)], "0 to 1"),
    ([record("x", "1", True)], [BASE], "no arm 'x'"),
    ([record("base", "1", True)] * 2, [BASE], "second record"),
    (
        [record("base", "1", True), record("v", "1", True, template="t")],
        [BASE, V],
        "another template",
    ),
    (
        [record("base", "1", True), record("v", "1", True, retention=True)],
        [BASE, V],
        "another template or kind",
    ),
]


@pytest.mark.parametrize(("rows", "arms", "message"), BAD)
def test_what_does_not_fit(rows: list[Record], arms: list[MeasuredArm], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        summarise(rows, arms)


def test_all_of_it_is_told_at_once() -> None:
    rows = [record("x", "1", True), record("y", "1", True)]
    with pytest.raises(InvalidRequest) as error:
        summarise(rows, [V])
    assert len(error.value.violations) == 3


def test_sixty_arms_of_five_hundred_items_take_less_than_five_seconds() -> None:
    arms = standard(thinking(0.7))
    arms += [Made(Role.WITHIN_CLASS, 0.1, value=i, name=f"w{i}") for i in range(20)]
    arms += [Made(Role.DOSE, 0.1, value=i, name=f"d{i}") for i in range(4)]
    assert len(arms) >= 59
    rows = records(arms)
    start = time.process_time()
    summarise(rows, [one.arm for one in arms], choices=10, draws=2000)
    assert time.process_time() - start < 5


def test_arms_without_an_answer_are_told() -> None:
    """An extractor that never matches makes every arm wrong, and no difference means anything."""
    arms = [Made(Role.BASELINE, 0.0), Made(Role.STEERED, 0.5), Made(Role.FORCED, 0.5)]
    rows, measured = records(arms, 20), [one.arm for one in arms]

    def told(silent: set[str]) -> str:
        given = [replace(one, answer=None) if one.arm in silent else one for one in rows]
        return " ".join(summarise(given, measured, draws=10).warnings)

    assert "no completion" not in told(set()) and "no completion" not in told({"forced"})
    assert "baseline: no completion has an answer" in told({"baseline"})
    assert "the extractor of the task never matches" in told({"baseline", "steered", "forced"})
