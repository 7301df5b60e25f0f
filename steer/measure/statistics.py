"""Statistics of counts and of families of tests. Pure Python."""

import math
from collections.abc import Sequence
from statistics import NormalDist

LEVEL = 0.95
TIE = 1e-9
"""An error of rounding must not decide a tie: equal means may be summed in different orders."""


def normal_quantile(level: float) -> float:
    """z of a two-sided interval that holds with probability ``level`` (0.95: 1.96)."""
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(successes: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a proportion, as fractions (low, high), for ``successes`` of ``n`` trials.

    The score interval holds its level for small n and for rates near 0 and 1, where the usual
    p ± 1.96·√(p(1-p)/n) collapses. Without trials it is (0, 1). Counts may be fractions: an
    effective number of trials is one. Raises ValueError unless 0 <= successes <= n.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be 0 to n = {n}, not {successes}")
    if n == 0:
        return 0.0, 1.0
    rate, z2 = successes / n, normal_quantile(level) ** 2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided p of ``b`` pairs that changed one way and ``c`` the other; 1 without any.

    Under the null each of the b + c discordant pairs is a fair coin: p = min(1, 2·P(X <= min(b,c)))
    with X ~ Bin(b + c, ½). Raises ValueError for negative counts.

    Source: Q. McNemar, Psychometrika 12 (1947), 153-157; exact: F. Mosteller, Biometrics 8 (1952).
    """
    if b < 0 or c < 0:
        raise ValueError(f"counts must not be negative: {b}, {c}")
    n = b + c
    term = tail = 1
    for i in range(min(b, c)):
        term = term * (n - i) // (i + 1)
        tail += term
    return min(1.0, 2 * tail / (1 << n))


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p values in the order given: rejecting those <= α errs in the family at most α.

    p̃ of the i-th smallest of m is the largest of (m - j + 1)·p_j over j <= i, at most 1; the tests
    may depend on each other in any way.

    Source: S. Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
    """
    adjusted, least = [0.0] * len(ps), 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        least = max(least, (len(ps) - rank) * ps[i])
        adjusted[i] = min(1.0, least)
    return tuple(adjusted)


def permutation_p(observed: float, nulls: Sequence[float]) -> float:
    """One-sided p of a number against draws of its null: (1 + #{null >= observed}) / (1 + N).

    Exact when the observed one is exchangeable with the draws under the null, whatever their
    distribution: here the level of *vectors*, not of items.

    Source: B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", Statistical
    Applications in Genetics and Molecular Biology 9 (2010), article 39.
    """
    return (1 + sum(null >= observed - TIE for null in nulls)) / (1 + len(nulls))


def nulls_needed(comparisons: int, alpha: float = 0.05) -> int:
    """The fewest draws with which ``permutation_p`` can reach ``alpha`` after Holm over so many."""
    return math.ceil(comparisons / alpha - 1e-9) - 1
