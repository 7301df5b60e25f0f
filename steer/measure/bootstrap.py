"""The cluster bootstrap: sums over resampled clusters, and percentile intervals of what they give.

Everything a summary wants is a function of sums over clusters (a mean is a sum by a count, a share
a ratio of two sums), so that one product of matrices resamples all arms alike.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from steer.measure.student import t_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 4000
"""As many as leave a dozen resamples outside an interval of eight controls that hold together."""
# Resamples at a time: bounds the memory at this many numbers for each cluster.
_CHUNK = 1000


def cluster_sums(values: Floats, clusters: Ints, count: int) -> Floats:
    """Sums of ``values`` (items, k) over the items of each cluster: (count, k). NaN counts as 0."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, clusters, np.nan_to_num(values))
    return sums


def resampled(sums: Floats, seed: int, draws: int = DRAWS) -> Floats:
    """Totals over clusters drawn with replacement: ``sums`` (clusters, k) to (draws, k).

    The same seed draws the same clusters for every column and call. Source: B. Efron, Annals of
    Statistics 7 (1979), 1-26; whole clusters: A. C. Davison and D. V. Hinkley, "Bootstrap Methods
    and their Application" (1997), 3.8.
    """
    random, count = np.random.default_rng(seed), len(sums)
    totals = np.empty((draws, sums.shape[1]))
    for start in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - start)
        chosen = random.integers(0, count, (size, count))
        chosen += count * np.arange(size)[:, None]
        times = np.bincount(chosen.ravel(), minlength=size * count).reshape(size, count)
        totals[start : start + size] = times.astype(float) @ sums
    return totals


def tail(level: float, clusters: int) -> float:
    """The fraction of resamples below an interval of ``level``, and above; 0 for one cluster.

    Percentiles of a bootstrap are too narrow by √((n-1)/n) and know nothing of t; taking them
    further out, at Φ(-√(n/(n-1))·t), mends both. Source: T. Hesterberg, "What Teachers Should Know
    About the Bootstrap", American Statistician 69 (2015), 371-386.
    """
    if clusters < 2:
        return 0.0
    spread = (clusters / (clusters - 1)) ** 0.5
    return NormalDist().cdf(-spread * t_quantile(level, clusters - 1))


def interval(estimates: Floats, level: float, clusters: int) -> tuple[float, float]:
    """Percentile interval (low, high) of resampled ``estimates`` (draws,), rounded outwards."""
    each = tail(level, clusters)
    low = np.quantile(estimates, each, method="lower")
    return float(low), float(np.quantile(estimates, 1 - each, method="higher"))
