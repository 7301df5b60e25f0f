from collections.abc import Callable

import numpy as np
import pytest

from steer.measure.calibration import calibrate
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.statistics import nulls_needed
from tests.measure.made import Made, records

SEEDS = nulls_needed(1)
Draw = Callable[[np.random.Generator], float]


def family(
    vectors: int, draw: Draw, seed: int, items: int
) -> tuple[list[Record], list[MeasuredArm]]:
    """Null vectors whose own accuracy is drawn, next to a baseline at 10 %."""
    random = np.random.default_rng(seed)
    arms = [Made(Role.BASELINE, 0.1)]
    arms += [Made(Role.RANDOM, draw(random), name=f"r{i}") for i in range(vectors)]
    return records(arms, items, 0, seed), [one.arm for one in arms]


@pytest.mark.parametrize("seed", range(3))
def test_of_twenty_null_vectors_one_at_most_is_positive(seed: int) -> None:
    """Whatever pushes of that size do: here nearly each of them raises accuracy for certain."""
    rows, arms = family(SEEDS + 1, lambda random: random.uniform(0.3, 0.9), seed, items=80)
    found = calibrate(rows, arms, seeds=SEEDS, draws=200)
    rises = sum(finding.holds is True for one in found.verdicts for finding in one.findings[:1])
    assert rises > 15
    assert found.positive <= 1
    assert not any(one.outcome.positive for one in found.verdicts)


def test_of_many_null_vectors_five_in_a_hundred_at_most_are_positive() -> None:
    """A heavy tail: one vector in ten happens to hit something."""
    vectors = 120

    def draw(random: np.random.Generator) -> float:
        return 0.8 if random.random() < 0.1 else 0.1

    rows, arms = family(vectors, draw, 4, items=60)
    found = calibrate(rows, arms, seeds=SEEDS, draws=200)
    assert (found.nulls, found.seeds) == (vectors, SEEDS)
    assert found.positive <= vectors * 0.05 + 4 * (vectors * 0.05 * 0.95) ** 0.5
    assert found.low <= found.positive / vectors <= found.high


def test_a_vector_unlike_the_others_is_found() -> None:
    rows, arms = family(SEEDS, lambda _: 0.1, 5, items=80)
    made = [Made(Role.RANDOM, 0.9, name="v")]
    found = calibrate(
        [*rows, *records(made, 80, 0, 9)], [*arms, made[0].arm], seeds=SEEDS, draws=200
    )
    assert found.positive == 1


@pytest.mark.parametrize(("vectors", "seeds"), [(19, 19), (40, 18)])
def test_too_few_to_tell(vectors: int, seeds: int) -> None:
    arms = [MeasuredArm("base", Role.BASELINE)]
    arms += [MeasuredArm(f"r{i}", Role.RANDOM) for i in range(vectors)]
    with pytest.raises(ValueError, match="seeds"):
        calibrate([], arms, seeds=seeds)
