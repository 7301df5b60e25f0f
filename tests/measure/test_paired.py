import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from steer.measure.paired import MCNEMAR, SIGN_FLIPS, differences, paired_difference
from steer.measure.statistics import mcnemar_exact

BITS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=80)


@given(BITS)
def test_single_answers(pairs: list[tuple[int, int]]) -> None:
    x, y = zip(*pairs, strict=True)
    found = paired_difference(x, y, draws=200)
    gaps = np.subtract(x, y)
    assert found.value == pytest.approx(gaps.mean())
    assert found.se == pytest.approx(stats.sem(gaps))
    assert found.test == MCNEMAR
    assert found.p == mcnemar_exact(int((gaps == 1).sum()), int((gaps == -1).sum()))
    assert -1 <= found.low <= found.high <= 1


def test_swapping_the_arms_turns_the_sign() -> None:
    random = np.random.default_rng(0)
    x, y = random.integers(0, 2, (2, 60)).tolist()
    one, other = paired_difference(x, y), paired_difference(y, x)
    assert (one.value, one.se, one.p) == (-other.value, other.se, other.p)
    # Not to the last digit: the draws are the same, the made-up items changed places.
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=0.02)


def test_clustered_errors_as_statsmodels_has_them() -> None:
    random = np.random.default_rng(1)
    clusters = random.integers(0, 12, 90)
    x = random.random(90) * 0.5 + clusters / 30
    found = paired_difference(x.tolist(), [0.2] * 90, clusters.tolist())
    fit = sm.OLS(x - 0.2, np.ones(90)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": True}
    )
    assert (found.clusters, found.test) == (12, SIGN_FLIPS)
    # statsmodels multiplies by (n-1)/(n-k) too, which is 1 for a mean.
    assert found.se == pytest.approx(fit.bse[0])


def test_few_clusters_take_every_sign() -> None:
    random = np.random.default_rng(2)
    x, y = random.random((2, 60))
    clusters = np.repeat(np.arange(10), 6)
    sums = [np.bincount(clusters, one) for one in (x, y)]
    reference = stats.permutation_test(
        sums,
        lambda one, other, axis: (one - other).sum(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )
    found = paired_difference(x.tolist(), y.tolist(), clusters.tolist())
    assert found.p == pytest.approx(reference.pvalue)


def test_many_clusters_take_random_signs() -> None:
    random = np.random.default_rng(3)
    x, y = random.random(80) * 1.0, random.random(80) * 0.85
    reference = stats.ttest_rel(x, y).pvalue
    assert paired_difference(x.tolist(), y.tolist()).p == pytest.approx(reference, abs=0.02)


@pytest.mark.parametrize(
    ("rise", "fall"), [(0.0, 0.0), (0.01, 0.0), (0.09, 0.09), (0.3, 0.1), (0.85, 0.01), (1.0, 0.0)]
)
@pytest.mark.parametrize("n", [50, 200])
def test_intervals_cover_what_they_say(n: int, rise: float, fall: float) -> None:
    """1000 samples of n items each, of which ``rise`` get better and ``fall`` worse."""
    runs = 1000
    drawn = np.random.default_rng(n).random((n, runs))
    gaps = (drawn < rise).astype(float) - (drawn > 1 - fall)
    found = differences(gaps, np.zeros(n), np.arange(n), draws=1000)
    covered = sum(one is not None and one.low <= rise - fall <= one.high for one in found)
    assert covered >= runs * 0.95 - 4 * (runs * 0.95 * 0.05) ** 0.5


@pytest.mark.parametrize("n", [60, 100, 500, 2000])
@pytest.mark.parametrize("other", [0.0, 0.05, 0.3])
def test_a_difference_that_is_there_is_seldom_excluded(n: int, other: float) -> None:
    """Of 1000 samples with 5 points of difference, 5 % at most say that it is within 5 points."""
    runs, margin = 1000, 0.05
    drawn = np.random.default_rng(n).random((n, runs))
    gaps = (drawn < other + margin).astype(float) - (drawn > 1 - other)
    found = differences(gaps, np.zeros(n), np.arange(n), draws=1000)
    wrong = sum(one is not None and one.within <= margin for one in found)
    assert wrong <= runs * 0.05 + 4 * (runs * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize("groups", [8, 30])
def test_intervals_of_clusters_cover_what_they_say(groups: int) -> None:
    """Templates that share an error: as items that stand alone, the interval would cover 60 %."""
    runs, each, truth = 1000, 10, 0.1
    random = np.random.default_rng(groups)
    shared = random.normal(0, 0.2, (groups, runs)).repeat(each, axis=0)
    gaps = np.clip(truth + shared + random.normal(0, 0.2, shared.shape), -1, 1)
    clusters = np.repeat(np.arange(groups), each)
    found = differences(gaps, np.zeros(len(gaps)), clusters, draws=1000)
    covered = sum(one is not None and one.low <= truth <= one.high for one in found)
    assert covered >= runs * 0.95 - 4 * (runs * 0.95 * 0.05) ** 0.5
    alone = differences(gaps, np.zeros(len(gaps)), np.arange(len(gaps)), draws=1000)
    naive = sum(one is not None and one.low <= truth <= one.high for one in alone)
    assert naive < runs * 0.8


@pytest.mark.parametrize("each", [1, 5])
def test_both_tests_err_as_often_as_they_say(each: int) -> None:
    runs, groups = 1000, 40
    random = np.random.default_rng(each)
    if each == 1:
        x = random.integers(0, 2, (groups, runs)).astype(float)
        y = random.integers(0, 2, groups).astype(float)
    else:
        shared = random.normal(0, 0.1, (groups, runs)).repeat(each, axis=0)
        x, y = 0.5 + shared, np.full(groups * each, 0.5)
    found = differences(x, y, np.repeat(np.arange(groups), each), draws=500)
    wrong = sum(one is not None and one.p <= 0.05 for one in found)
    assert wrong <= runs * 0.05 + 4 * (runs * 0.05 * 0.95) ** 0.5


def test_equal_arms_are_not_known_to_be_equal() -> None:
    few, many = (paired_difference([1] * n, [1] * n) for n in (5, 500))
    assert few.low < -0.3 < 0.3 < few.high
    # The rule of three: 3/n of events that were not seen.
    assert many.high == pytest.approx(3 / 500, rel=0.2)


def test_one_cluster_says_nothing() -> None:
    found = paired_difference([1, 1, 1], [0, 0, 0], "aaa")
    assert (found.se, found.low, found.high, found.within, found.p) == (None, -1, 1, 1, 1)


def test_items_an_arm_lacks_are_left_out() -> None:
    values = np.array([[1.0, np.nan], [0, np.nan], [np.nan, np.nan], [1, np.nan]])
    one, none = differences(values, np.array([0.0, 0, 0, np.nan]), np.arange(4), draws=200)
    assert none is None
    assert one is not None
    assert (one.n, one.value) == (2, 0.5)


def test_lists_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="as long"):
        paired_difference([1, 0], [1])
    with pytest.raises(ValueError, match="nothing"):
        paired_difference([], [])
