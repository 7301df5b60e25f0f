"""Statistics of proportions. Pure Python."""

import math

# 97.5th percentile of the normal distribution: two-sided 95 %.
_Z = 1.959964


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a proportion, as fractions (low, high), for ``successes`` of ``n`` trials.

    The score interval holds its level for small n and for rates near 0 and 1, where the usual
    p ± 1.96·√(p(1-p)/n) collapses. Without trials it is (0, 1). Raises ValueError unless
    0 <= successes <= n.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be 0 to n = {n}, not {successes}")
    if n == 0:
        return 0.0, 1.0
    rate, z2 = successes / n, _Z * _Z
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
