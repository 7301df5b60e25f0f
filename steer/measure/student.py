"""Student's t: quantiles, and intervals of a mean. Pure Python."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from steer.measure.statistics import LEVEL, normal_quantile

# The finite series costs a term for every two degrees of freedom; here t is z to 2 in 10 000.
_NORMAL_FROM = 10_000


def _inside(t: float, df: int) -> float:
    """P(|T| <= t). Source: Abramowitz and Stegun, 26.7.3 and 26.7.4 (integer df, exact)."""
    angle = math.atan(t / math.sqrt(df))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    odd = df % 2
    term, total = (math.cos(angle), 0.0) if odd else (1.0, 0.0)
    for i in range(1 + odd, df, 2):
        total += term
        term *= square * i / (i + 1)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


@lru_cache(maxsize=1024)
def t_quantile(level: float, df: int) -> float:
    """t of a two-sided interval that holds with probability ``level``, for ``df`` >= 1.

    Raises ValueError without a degree of freedom.
    """
    if df < 1:
        raise ValueError(f"an interval of a mean needs 1 degree of freedom or more, not {df}")
    if df >= _NORMAL_FROM:
        return normal_quantile(level)
    low, high = 0.0, 1.0
    while _inside(high, df) < level:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, df) < level else (low, middle)
    return high


@dataclass(frozen=True, slots=True)
class Spread:
    """Numbers at a level of their own, as accuracies over vector seeds or over samples.

    ``sd``: with n - 1; ``low``, ``high``: 95 % t interval of the mean. These three are None for a
    single number.
    """

    n: int
    mean: float
    least: float
    most: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None


def spread(values: Sequence[float], level: float = LEVEL) -> Spread:
    """The spread of one or more numbers. Raises ValueError for none.

    The interval is mean ± t·sd/√n (Student, Biometrika 6 (1908), 1-25).
    """
    n = len(values)
    if not n:
        raise ValueError("no numbers")
    mean = math.fsum(values) / n
    if n == 1:
        return Spread(n, mean, mean, mean)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = t_quantile(level, n - 1) * sd / math.sqrt(n)
    return Spread(n, mean, min(values), max(values), sd, mean - half, mean + half)
