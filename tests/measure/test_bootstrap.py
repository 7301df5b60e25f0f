import numpy as np
import pytest
from scipy import stats

from steer.measure.bootstrap import cluster_sums, interval, resampled, tail
from steer.measure.student import t_quantile


def test_sums_of_clusters() -> None:
    values = np.array([[1.0, 10], [2, np.nan], [4, 40]])
    assert cluster_sums(values, np.array([0, 1, 0]), 3).tolist() == [[5, 50], [2, 0], [0, 0]]


def test_a_resample_is_as_many_clusters_drawn_with_replacement() -> None:
    """Each total of ones counts them; moments are those of sampling with replacement."""
    values = np.array([0.0, 1, 5, 2, 2, 9, 4])
    totals = resampled(np.stack([np.ones(7), values], axis=1), seed=1, draws=20_000)
    assert (totals[:, 0] == 7).all()
    means = totals[:, 1] / 7
    error = values.std() / 7**0.5
    assert means.mean() == pytest.approx(values.mean(), abs=5 * error / 20_000**0.5)
    assert means.std() == pytest.approx(error, rel=0.03)


def test_the_same_seed_draws_the_same_for_every_column() -> None:
    values = np.random.default_rng(0).random((40, 1))
    alone = resampled(values, seed=5, draws=1500)
    beside = resampled(np.hstack([values, 2 * values]), seed=5, draws=1500)
    assert np.allclose(beside, alone * [1, 2])
    assert not np.allclose(alone, resampled(values, seed=6, draws=1500))


def test_percentiles_as_scipy_has_them() -> None:
    """At the level that makes up for the bootstrap's narrowness."""
    values = np.random.default_rng(2).exponential(size=50)
    draws = 20_000
    estimates = resampled(values[:, None], seed=0, draws=draws)[:, 0] / 50
    reference = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=draws,
        method="percentile",
        confidence_level=1 - 2 * tail(0.95, 50),
        rng=np.random.default_rng(9),
    ).confidence_interval
    width = reference.high - reference.low
    assert interval(estimates, 0.95, 50) == pytest.approx(tuple(reference), abs=0.03 * width)


@pytest.mark.parametrize("clusters", [5, 12, 40, 500])
def test_a_mean_of_normal_numbers_gets_its_t_interval(clusters: int) -> None:
    """What the wider percentiles are for: mean ± t·s/√n."""
    values = stats.norm.ppf((np.arange(clusters) + 0.5) / clusters)
    estimates = resampled(values[:, None], seed=0, draws=100_000)[:, 0] / clusters
    half = t_quantile(0.95, clusters - 1) * values.std(ddof=1) / clusters**0.5
    low, high = interval(estimates, 0.95, clusters)
    assert (high - low) / 2 == pytest.approx(half, rel=0.13 if clusters < 10 else 0.04)


def test_one_cluster_has_no_tail() -> None:
    assert tail(0.95, 1) == 0.0
