import numpy as np
import pytest

from steer.measure.nulls import Nulls
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.summary import Summary, summarise
from tests.measure.made import record

BASE, V = MeasuredArm("base", Role.BASELINE), MeasuredArm("v", Role.STEERED)


def rows(rights: dict[str, list[bool]]) -> list[Record]:
    return [record(arm, str(i), right) for arm, of in rights.items() for i, right in enumerate(of)]


def first(count: int, of: int = 40) -> list[bool]:
    return [i < count for i in range(of)]


def only(summary: Summary, role: Role = Role.RANDOM) -> Nulls:
    found = summary.effects[0].null(role)
    assert found is not None
    return found


def random_arms(count: int, of: str = "") -> list[MeasuredArm]:
    return [
        MeasuredArm(f"r{of}{i}", Role.RANDOM, float(i), cosine=(-1) ** i * i / 20, of=of)
        for i in range(count)
    ]


def test_a_kind_of_null() -> None:
    arms = [BASE, V, *random_arms(4)]
    rights = {"base": first(4), "v": first(30)}
    rights |= {f"r{i}": first(4 + 2 * i) for i in range(4)}
    found = only(summarise(rows(rights), arms, draws=500))
    assert found.accuracy.n == 4
    assert (found.accuracy.least, found.accuracy.most) == (0.1, 0.25)
    assert found.accuracy.mean == pytest.approx(0.175)
    assert found.p == found.p_holm == pytest.approx(1 / 5)
    assert found.excess.value == pytest.approx(0.75 - 0.175)
    assert found.share.value == pytest.approx(0.075 / 0.65)
    assert (found.cosine, found.most_cosine) == (pytest.approx(0.075), pytest.approx(0.15))


def test_ties_count_against_the_vector() -> None:
    arms = [BASE, V, *random_arms(3)]
    rights = {"base": first(4), "v": first(8), "r0": first(8), "r1": first(4), "r2": first(4)}
    assert only(summarise(rows(rights), arms, draws=100)).p == pytest.approx(2 / 4)


def test_ties_of_means_over_samples_count_whatever_order_they_are_summed_in() -> None:
    """The same shares of three samples, at other items: sums of thirds round differently."""
    arms, random = [BASE, V, *random_arms(20)], np.random.default_rng(0)
    rights = random.integers(0, 4, 50)
    given = {"base": np.zeros(50), "v": rights}
    given |= {f"r{i}": random.permutation(rights) for i in range(20)}
    records = [
        record(arm, str(item), sample < count, sample=sample)
        for arm, counts in given.items()
        for item, count in enumerate(counts)
        for sample in range(3)
    ]
    assert only(summarise(records, arms, draws=100)).p == 1


def test_several_steered_arms_are_corrected_for() -> None:
    """Each against nulls of its own norm: with 20 seeds, none of two can be certain."""
    other = MeasuredArm("w", Role.STEERED)
    arms = [BASE, V, other, *random_arms(20, "v"), *random_arms(20, "w")]
    rights = {arm.name: first(4) for arm in arms} | {"v": first(40), "w": first(40)}
    summary = summarise(rows(rights), arms, draws=100)
    assert [one.arm for one in summary.effects] == ["v", "w"]
    for effect in summary.effects:
        (found,) = effect.nulls
        assert len(found.arms) == 20
        assert found.p == pytest.approx(1 / 21)
        assert found.p_holm == pytest.approx(2 / 21)


def test_one_seed_says_nothing_about_others() -> None:
    rights = {"base": first(4), "v": first(30), "r0": first(4)}
    excess = only(summarise(rows(rights), [BASE, V, *random_arms(1)], draws=100)).excess
    assert (excess.low, excess.high) == (-1, 1)


def test_seeds_that_differ_widen_the_interval() -> None:
    arms = [BASE, V, *random_arms(6)]
    fixed = {"base": first(4), "v": first(30)}
    alike = fixed | {f"r{i}": first(12) for i in range(6)}
    apart = fixed | {f"r{i}": first(4 * (i % 2) * 5 + 2) for i in range(6)}
    one, other = (only(summarise(rows(of), arms, draws=500)).excess for of in (alike, apart))
    assert one.high - one.low < other.high - other.low - 0.1


def test_the_interval_covers_the_mean_of_all_seeds() -> None:
    """Vectors whose accuracy is itself drawn: the interval is about their mean, not these six."""
    runs, covered, random = 200, 0, np.random.default_rng(5)
    arms = [BASE, V, *random_arms(6)]
    for _ in range(runs):
        of_seed = random.uniform(0.1, 0.5, 6)
        rates = {"base": 0.1, "v": 0.6} | {f"r{i}": of_seed[i] for i in range(6)}
        drawn = {arm: (random.random(60) < rate).tolist() for arm, rate in rates.items()}
        excess = only(summarise(rows(drawn), arms, draws=200)).excess
        covered += excess.low <= 0.6 - 0.3 <= excess.high
    assert covered >= runs * 0.95 - 4 * (runs * 0.95 * 0.05) ** 0.5


def test_only_items_all_of_them_have_are_compared() -> None:
    rights = {"base": first(4), "v": first(30), "r0": first(4, of=10), "r1": first(4, of=10)}
    found = only(summarise(rows(rights), [BASE, V, *random_arms(2)], draws=100))
    assert found.excess.n == 10
    assert found.accuracy.mean == pytest.approx(0.4)


def test_kinds_are_apart() -> None:
    within = [MeasuredArm(f"w{i}", Role.WITHIN_CLASS, i) for i in range(2)]
    arms = [BASE, V, *random_arms(2), *within]
    summary = summarise(rows({arm.name: first(8) for arm in arms}), arms, draws=100)
    assert only(summary, Role.WITHIN_CLASS).arms == ("w0", "w1")
    assert only(summary).arms == ("r0", "r1")
    assert summary.effects[0].null(Role.STRATIFIED) is None
