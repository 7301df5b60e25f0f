"""Means over items with their intervals, for what is not a rate."""

from dataclasses import dataclass

import numpy as np

from steer.measure.bootstrap import DRAWS, Floats, Ints, cluster_sums, interval, resampled
from steer.measure.paired import standard_error
from steer.measure.statistics import LEVEL
from steer.measure.student import t_quantile


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over ``n`` items with its 95 % interval; the ends are None for one cluster."""

    n: int
    value: float
    low: float | None
    high: float | None


def bounded_means(
    values: Floats, clusters: Ints, seed: int = 0, draws: int = DRAWS
) -> list[Mean | None]:
    """The mean of each column of ``values`` (items, k), numbers from 0 to 1; None for no item.

    NaN is left out. The interval is a bootstrap of whole clusters, with one made-up item at either
    bound, so that a sample all at a bound does not claim to know it exactly
    (``paired.differences`` does the same).
    """
    sums, sizes = _by_cluster(values, clusters)
    bounds = np.array([[0.0], [1.0]]).repeat(values.shape[1], axis=1)
    columns = np.hstack([np.vstack([sums, bounds]), np.vstack([sizes, np.ones_like(bounds)])])
    drawn = resampled(columns, seed, draws)
    found: list[Mean | None] = []
    for k in range(values.shape[1]):
        n, groups = int(sizes[:, k].sum()), int(np.count_nonzero(sizes[:, k]))
        of, to = drawn[:, k], drawn[:, k + values.shape[1]]
        estimates = np.divide(of, to, out=np.zeros(draws), where=to > 0)
        ends = interval(estimates, LEVEL, groups) if groups > 1 else (None, None)
        found.append(Mean(n, float(sums[:, k].sum() / n), *ends) if n else None)
    return found


def mean(values: Floats, clusters: Ints) -> Mean | None:
    """The mean of numbers without bounds (items,), NaN left out; None for no item.

    The interval is mean ± t·se with the clustered error and t for the clusters.
    """
    sums, sizes = (column[:, 0] for column in _by_cluster(values[:, None], clusters))
    n, groups, error = int(sizes.sum()), int(np.count_nonzero(sizes)), standard_error(sums, sizes)
    if not n:
        return None
    centre = float(sums.sum() / n)
    if error is None:
        return Mean(n, centre, None, None)
    half = t_quantile(LEVEL, groups - 1) * error
    return Mean(n, centre, centre - half, centre + half)


def _by_cluster(values: Floats, clusters: Ints) -> tuple[Floats, Floats]:
    """Sums and sizes of each cluster: (clusters, k) both."""
    count = int(clusters.max(initial=-1)) + 1
    known = (~np.isnan(values)).astype(float)
    return cluster_sums(values, clusters, count), cluster_sums(known, clusters, count)
