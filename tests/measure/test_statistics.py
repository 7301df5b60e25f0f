import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from steer.measure.statistics import (
    holm,
    mcnemar_exact,
    normal_quantile,
    nulls_needed,
    permutation_p,
    wilson,
)

COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
SHARES = st.floats(0, 1)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_known_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(COUNTS, st.sampled_from([0.9, 0.95, 0.999]))
def test_wilson_as_statsmodels_has_it(counts: tuple[int, int], level: float) -> None:
    expected = proportion_confint(*counts, alpha=1 - level, method="wilson")
    assert wilson(*counts, level) == pytest.approx(expected, abs=1e-9)


def test_symmetry_and_edges() -> None:
    low, high = wilson(3, 10)
    assert wilson(7, 10) == pytest.approx((1 - high, 1 - low))
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3)])
def test_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, n)


def test_wilson_covers_what_it_says() -> None:
    """Mean coverage over rates is the nominal one, and no rate in the middle is far below it."""
    n, covered = 60, []
    for rate in np.linspace(0.05, 0.95, 37):
        inside = [low <= rate <= high for low, high in (wilson(k, n) for k in range(n + 1))]
        covered.append(float(stats.binom.pmf(range(n + 1), n, rate) @ inside))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
    assert min(covered) > 0.92


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_as_statsmodels_and_scipy_have_it(b: int, c: int) -> None:
    p = mcnemar_exact(b, c)
    assert p == pytest.approx(mcnemar([[0, b], [c, 0]], exact=True).pvalue, rel=1e-9)
    if b + c:
        assert p == pytest.approx(stats.binomtest(b, b + c).pvalue, rel=1e-9)


def test_mcnemar_of_many_pairs_is_a_number() -> None:
    assert mcnemar_exact(5000, 0) == pytest.approx(0.0, abs=1e-300)
    assert mcnemar_exact(40_000, 40_000) == 1.0


def test_mcnemar_needs_counts() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar_exact(-1, 3)


@settings(max_examples=30)
@given(st.lists(SHARES, min_size=1, max_size=30))
def test_holm_as_statsmodels_has_it(ps: list[float]) -> None:
    assert holm(ps) == pytest.approx(multipletests(ps, method="holm")[1], abs=1e-12)


def test_holm_of_nothing() -> None:
    assert holm([]) == ()


@given(SHARES, st.lists(SHARES, max_size=40))
def test_permutation_p_counts(observed: float, nulls: list[float]) -> None:
    least = 1 / (1 + len(nulls))
    assert least <= permutation_p(observed, nulls) <= 1
    assert permutation_p(2.0, nulls) == least
    assert permutation_p(-1.0, nulls) == 1


def test_permutation_p_errs_as_often_as_it_says() -> None:
    """Of exchangeable numbers, whatever they are drawn from, p <= k/21 in k of 21 cases."""
    random = np.random.default_rng(3)
    runs = 4000
    heavy = random.standard_cauchy((runs, 21))
    ps = np.array([permutation_p(row[0], row[1:]) for row in heavy])
    for k in (1, 2, 5):
        rate = k / 21
        assert abs((ps <= rate + 1e-9).mean() - rate) < 4 * (rate * (1 - rate) / runs) ** 0.5


@pytest.mark.parametrize(("comparisons", "needed"), [(1, 19), (2, 39), (3, 59)])
def test_seeds_that_can_be_certain(comparisons: int, needed: int) -> None:
    assert nulls_needed(comparisons) == needed
    best = permutation_p(1.0, [0.0] * needed)
    assert holm([best] * comparisons)[0] <= 0.05 + 1e-12
    assert holm([permutation_p(1.0, [0.0] * (needed - 1))] * comparisons)[0] > 0.05


@given(st.floats(0.01, 0.999))
def test_normal_quantile_as_scipy_has_it(level: float) -> None:
    assert normal_quantile(level) == pytest.approx(stats.norm.ppf((1 + level) / 2), rel=1e-9)
