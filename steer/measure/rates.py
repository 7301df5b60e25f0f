"""Rates of one arm with their intervals."""

from dataclasses import dataclass

import numpy as np

from steer.measure.bootstrap import Floats, Ints, cluster_sums
from steer.measure.paired import standard_error
from steer.measure.statistics import LEVEL, normal_quantile, wilson
from steer.measure.student import t_quantile


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion, 0 to 1, with its 95 % Wilson interval, over ``n`` items.

    ``effective``: the number of independent trials the interval is as wide as.
    """

    value: float
    low: float
    high: float
    n: int
    effective: float


def rate(values: Floats, clusters: Ints, trials: int) -> Rate | None:
    """The mean of ``values`` (items,), each a share of the item's own ``trials``; None for no item.

    NaN items are left out; ``trials`` counts all of them together. Items of one cluster, and
    samples of one item, are not independent: Wilson's interval is taken for the effective number
    of trials p(1-p)/se²·(z/t)², with the clustered error and t for the clusters, at most ``trials``
    and n items where p is 0 or 1. Source: E. L. Korn and B. I. Graubard, "Confidence Intervals for
    Proportions with Small Expected Number of Positive Counts Estimated from Survey Data", Survey
    Methodology 24 (1998), 193-201.
    """
    known = ~np.isnan(values)
    n = int(known.sum())
    if not n:
        return None
    value = float(values[known].mean())
    effective = _effective(values, known, clusters, trials) if 0 < value < 1 else float(n)
    low, high = wilson(min(value * effective, effective), effective)
    return Rate(value, low, high, n, effective)


def _effective(values: Floats, known: Floats, clusters: Ints, trials: int) -> float:
    n, count = int(known.sum()), int(clusters.max()) + 1
    sizes = cluster_sums(known[:, None].astype(float), clusters, count)[:, 0]
    if trials == n and sizes.max() <= 1:
        return float(n)
    sums = cluster_sums(values[:, None], clusters, count)[:, 0]
    error = standard_error(sums, sizes)
    if error is None:
        return 1.0
    if error == 0.0:
        return float(n)
    value = sums.sum() / n
    narrower = normal_quantile(LEVEL) / t_quantile(LEVEL, int(np.count_nonzero(sizes)) - 1)
    return min(float(value * (1 - value) / error**2 * narrower**2), float(trials))
