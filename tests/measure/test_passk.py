import itertools
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.measure.passk import chance, coverage, pass_at_k, pass_curves

COUNTS = st.integers(1, 7).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))
)


@given(COUNTS)
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(counts: tuple[int, int, int]) -> None:
    n, right, k = counts
    samples = [True] * right + [False] * (n - right)
    draws = [any(draw) for draw in itertools.combinations(samples, k)]
    assert pass_at_k(n, right, k) == pytest.approx(fmean(draws))


def test_pass_at_k_is_unbiased() -> None:
    rights = np.random.default_rng(0).binomial(10, 0.15, 20_000)
    estimate = fmean(pass_at_k(10, int(right), 4) for right in rights)
    assert estimate == pytest.approx(1 - 0.85**4, abs=0.01)


@pytest.mark.parametrize("counts", [(3, 4, 1), (3, -1, 1), (3, 1, 0), (3, 1, 4)])
def test_counts_that_can_not_be(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="want"):
        pass_at_k(*counts)


def test_chance_of_sixteen_guesses_among_ten() -> None:
    """The 81.5 % that a base model reached and that meant nothing."""
    assert chance(10, 16) == pytest.approx(0.815, abs=5e-4)


def test_guessing_is_at_chance_for_every_k() -> None:
    rights = np.random.default_rng(1).binomial(16, 0.1, (400, 1))
    (curve,) = pass_curves(rights, np.full((400, 1), 16), np.arange(400), choices=10, draws=1000)
    assert [one.k for one in curve] == [1, 2, 4, 8, 16]
    for one in curve:
        assert one.corrected == pytest.approx(0, abs=0.1)
        assert one.low is not None and one.high is not None and one.chance is not None
        assert one.low < one.chance < one.high


def test_curves_end_at_the_fewest_samples_and_leave_out_items_without_any() -> None:
    samples = np.array([[4, 0], [3, 0], [0, 1]])
    rights = np.array([[4, 0], [0, 0], [0, 1]])
    one, other = pass_curves(rights, samples, np.arange(3), draws=50)
    assert [(point.k, point.value) for point in one] == [(1, 0.5), (2, 0.5)]
    assert [(point.k, point.value, point.chance) for point in other] == [(1, 1.0, None)]


def test_an_open_answer_has_no_chance_and_one_answer_no_room() -> None:
    (curve,) = pass_curves(np.ones((2, 1), int), np.ones((2, 1), int), np.arange(2), 1, draws=50)
    assert (curve[0].chance, curve[0].corrected) == (1.0, None)


def test_coverage_counts() -> None:
    found = coverage({"a", "b", "c"}, {"b", "c", "d", "e"}, 10)
    assert (found.both, found.only_baseline, found.only_arm) == (2, 1, 2)
    assert (found.inside, found.expected) == (0.5, 0.3)


def test_coverage_of_nothing() -> None:
    found = coverage(set(), set(), 0)
    assert (found.inside, found.expected) == (None, None)
