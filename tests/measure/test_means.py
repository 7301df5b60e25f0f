import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from steer.measure.means import bounded_means, mean


def test_a_mean_and_its_t_interval_as_scipy_has_them() -> None:
    values = np.random.default_rng(0).normal(3, 2, 40)
    found = mean(np.append(values, np.nan), np.arange(41))
    assert found is not None
    low, high = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    expected = (40, values.mean(), low, high)
    assert (found.n, found.value, found.low, found.high) == pytest.approx(expected)


def test_clusters_as_statsmodels_has_them() -> None:
    values = np.random.default_rng(1).normal(0, 1, 60)
    clusters = np.repeat(np.arange(12), 5)
    fit = sm.OLS(values, np.ones(60)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
    )
    found = mean(values, clusters)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))


def test_one_cluster_has_no_interval() -> None:
    found = mean(np.array([1.0, 3]), np.zeros(2, dtype=int))
    assert found is not None
    assert (found.value, found.low, found.high) == (2, None, None)
    (bounded,) = bounded_means(np.array([[1.0], [0]]), np.zeros(2, dtype=int), draws=10)
    assert bounded is not None
    assert (bounded.value, bounded.low, bounded.high) == (0.5, None, None)


def test_nothing_to_average() -> None:
    nothing = np.full((3, 1), np.nan)
    assert mean(nothing[:, 0], np.arange(3)) is None
    assert bounded_means(nothing, np.arange(3), draws=10) == [None]


@pytest.mark.parametrize("n", [30, 200])
def test_bounded_means_cover_what_they_say(n: int) -> None:
    runs = 1000
    values = np.random.default_rng(n).beta(0.4, 1.6, (n, runs))
    found = bounded_means(values, np.arange(n), draws=1000)
    covered = sum(
        one is not None
        and one.low is not None
        and one.high is not None
        and one.low <= 0.2 <= one.high
        for one in found
    )
    assert covered >= runs * 0.95 - 4 * (runs * 0.95 * 0.05) ** 0.5
