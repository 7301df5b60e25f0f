"""Differences between two arms on the same items."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from steer.measure.bootstrap import DRAWS, Floats, Ints, cluster_sums, interval, resampled
from steer.measure.statistics import LEVEL, TIE, mcnemar_exact

MCNEMAR, SIGN_FLIPS = "mcnemar", "sign flips"


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of x - y over ``n`` items in ``clusters`` clusters, -1 to 1.

    ``se``: clustered standard error, None for one cluster. ``low``, ``high``: 95 % bootstrap
    interval. ``p``: two-sided, by ``test``; ``p_holm``: corrected for the family it is in.
    """

    n: int
    clusters: int
    value: float
    se: float | None
    low: float
    high: float
    p: float
    p_holm: float
    test: str

    @property
    def within(self) -> float:
        """The size of difference that is excluded, by two one-sided tests at 2.5 %.

        At the customary 5 % each, 40 pairs that all agree would exclude 5 points; with 5 points of
        difference, one sample of 40 in eight is like that.
        """
        return max(-self.low, self.high)


def paired_difference(
    x: Sequence[float],
    y: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> Difference:
    """x against y, item by item, each from 0 to 1 (a mean over the item's samples).

    ``clusters``: of each item, in the same order; each stands alone when None. Raises ValueError
    for different lengths or nothing to compare. Methods: ``differences``.
    """
    if not len(x) == len(y) == len(x if clusters is None else clusters):
        raise ValueError(f"x, y and clusters must be as long: {len(x)}, {len(y)}")
    names = {name: i for i, name in enumerate(dict.fromkeys(clusters or range(len(x))))}
    numbers = np.array([names[name] for name in clusters or range(len(x))], dtype=np.int64)
    columns = np.array([x], dtype=float).T, np.array(y, dtype=float)
    (found,) = differences(*columns, numbers, seed=seed, draws=draws)
    if found is None:
        raise ValueError("nothing to compare")
    return found


def differences(
    values: Floats, base: Floats, clusters: Ints, *, seed: int = 0, draws: int = DRAWS
) -> list[Difference | None]:
    """Each column of ``values`` (items, arms) against ``base`` (items,); None without common items.

    NaN stands for an item an arm does not have; ``clusters`` (items,) are numbers from 0.

    - Interval: percentiles of a bootstrap of whole clusters, of the sample with two made-up
      differences, +1 and -1, added. Without them an arm that never differs would get the interval
      [0, 0] however few the items. Source of the two: D. G. Bonett and R. M. Price, "Adjusted Wald
      Confidence Interval for a Difference of Binomial Proportions Based on Paired Data", Journal of
      Educational and Behavioral Statistics 37 (2012), 479-488.
    - Standard error: √(G/(G-1)·Σ_g(Σ_{i in g}(d_i - d̄))²)/n. Source: E. Miller, "Adding Error Bars
      to Evals", arXiv 2411.00640, section 2.2, with the usual factor for G clusters.
    - p: McNemar's exact test for single answers of items that stand alone; else random signs of
      whole clusters, exact under the null that x and y may be swapped in each.
    """
    count = int(clusters.max(initial=-1)) + 1
    gaps = values - base[:, None]
    sizes = cluster_sums((~np.isnan(gaps)).astype(float), clusters, count)
    sums = cluster_sums(gaps, clusters, count)
    tests = _tests(values, base, gaps, sums, sizes, seed, draws)
    made_up = np.array([[1.0], [-1.0]]).repeat(values.shape[1], axis=1)
    drawn = resampled(
        np.hstack([np.vstack([sums, made_up]), np.vstack([sizes, abs(made_up)])]), seed, draws
    )
    found: list[Difference | None] = []
    for arm, (test, p) in enumerate(tests):
        of, to = drawn[:, arm], drawn[:, arm + values.shape[1]]
        estimates = np.divide(of, to, out=np.zeros(draws), where=to > 0)
        found.append(_difference(sums[:, arm], sizes[:, arm], estimates, test, p))
    return found


def _difference(
    sums: Floats, sizes: Floats, estimates: Floats, test: str, p: float
) -> Difference | None:
    n, groups = int(sizes.sum()), int(np.count_nonzero(sizes))
    if not n:
        return None
    value = float(sums.sum()) / n
    low, high = interval(estimates, LEVEL, groups) if groups > 1 else (-1.0, 1.0)
    error = standard_error(sums, sizes)
    return Difference(n, groups, value, error, low, high, p, p_holm=p, test=test)


def standard_error(sums: Floats, sizes: Floats) -> float | None:
    """Clustered standard error of a mean, from each cluster's sum and size; None for one cluster.

    A cluster of size 0 is none. Formula and source: ``differences``.
    """
    groups, n = np.count_nonzero(sizes), sizes.sum()
    if groups < 2:
        return None
    residuals = sums - sums.sum() / n * sizes
    return float(np.sqrt(groups / (groups - 1) * (residuals**2).sum()) / n)


def _tests(
    values: Floats,
    base: Floats,
    gaps: Floats,
    sums: Floats,
    sizes: Floats,
    seed: int,
    draws: int,
) -> list[tuple[str, float]]:
    """The name of the test and its p, for each arm."""
    single = sizes.max(initial=0) <= 1
    flipped = None
    tests = []
    for arm in range(values.shape[1]):
        gap = gaps[:, arm]
        if single and _binary(values[:, arm]) and _binary(base[~np.isnan(gap)]):
            better, worse = int((gap == 1).sum()), int((gap == -1).sum())
            tests.append((MCNEMAR, mcnemar_exact(better, worse)))
            continue
        flipped = _sign_flips(sums, seed, draws) if flipped is None else flipped
        tests.append((SIGN_FLIPS, float(flipped[arm])))
    return tests


def _binary(values: Floats) -> bool:
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def _sign_flips(sums: Floats, seed: int, draws: int) -> Floats:
    """Two-sided p of each column's total under random signs of its rows: all of them when few."""
    count, total = len(sums), np.abs(sums.sum(axis=0))
    if 2**count <= draws:
        every = np.arange(2**count)[:, None] >> np.arange(count) & 1
        return np.asarray((np.abs((2.0 * every - 1) @ sums) >= total - TIE).mean(axis=0))
    signs = 2.0 * np.random.default_rng(seed).integers(0, 2, (draws, count), dtype=np.int8) - 1
    beyond = (np.abs(signs @ sums) >= total - TIE).sum(axis=0)
    return np.asarray((1.0 + beyond) / (1 + draws))
