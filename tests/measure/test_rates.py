import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from steer.measure.rates import rate


def test_items_that_stand_alone_have_wilsons_interval() -> None:
    found = rate(np.array([1.0, 0, 1, 1, np.nan]), np.arange(5), trials=4)
    assert found is not None
    assert (found.value, found.n, found.effective) == (0.75, 4, 4)
    assert (found.low, found.high) == pytest.approx(proportion_confint(3, 4, method="wilson"))


def test_all_right_is_not_certain() -> None:
    found = rate(np.ones(20), np.arange(20), trials=20)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.8389, abs=1e-4), 1)


def test_nothing() -> None:
    assert rate(np.array([np.nan]), np.arange(1), trials=0) is None


def test_items_of_one_cluster_are_one_trial() -> None:
    found = rate(np.array([1.0, 0, 1]), np.zeros(3, dtype=int), trials=3)
    assert found is not None
    assert found.effective == 1


def test_equal_items_of_a_cluster_count_once() -> None:
    """Twenty templates, ten items each that all go the same way, are about twenty trials."""
    values = np.repeat(np.random.default_rng(0).integers(0, 2, 20), 10).astype(float)
    found = rate(values, np.repeat(np.arange(20), 10), trials=200)
    assert found is not None
    assert 14 < found.effective < 20


@pytest.mark.parametrize(("groups", "spread"), [(15, 0.2), (60, 0.1)])
def test_intervals_of_clusters_and_samples_cover_what_they_say(groups: int, spread: float) -> None:
    runs, each, samples, random = 1000, 8, 4, np.random.default_rng(groups)
    clusters, covered = np.repeat(np.arange(groups), each), 0
    for _ in range(runs):
        of_template = np.clip(random.normal(0.5, spread, groups), 0, 1).repeat(each)
        values = random.binomial(samples, of_template) / samples
        found = rate(values, clusters, trials=len(values) * samples)
        assert found is not None
        covered += found.low <= 0.5 <= found.high
    assert covered >= runs * 0.95 - 4 * (runs * 0.95 * 0.05) ** 0.5
    assert covered <= runs * 0.99
