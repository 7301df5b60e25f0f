"""pass@k, against chance, and whose solved problems are inside whose."""

import math
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from steer.measure.bootstrap import DRAWS, Ints
from steer.measure.means import Mean, bounded_means


@lru_cache(maxsize=4096)
def pass_at_k(n: int, right: int, k: int) -> float:
    """P(at least one of k samples is right), unbiased, from ``right`` of n: 1 - C(n-c,k)/C(n,k).

    Raises ValueError unless 0 <= right <= n and 1 <= k <= n. Source: M. Chen et al., "Evaluating
    Large Language Models Trained on Code", arXiv 2107.03374, equation 1.
    """
    if not (0 <= right <= n and 1 <= k <= n):
        raise ValueError(f"want 0 <= right <= n and 1 <= k <= n, not {right}, {n}, {k}")
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def chance(choices: int, k: int) -> float:
    """pass@k of guessing among ``choices`` answers: 1 - (1 - 1/|A|)^k."""
    return 1 - (1 - 1 / choices) ** k


@dataclass(frozen=True, slots=True)
class PassAtK:
    """pass@k over items with its 95 % bootstrap interval, 0 to 1 (None for one cluster).

    ``chance``: what guessing reaches. ``corrected``: (value - chance)/(1 - chance): 0 at chance, 1
    at the top. Both are None where the number of answers is not known.
    """

    k: int
    value: float
    low: float | None
    high: float | None
    chance: float | None
    corrected: float | None


def pass_curves(
    right: Ints,
    samples: Ints,
    clusters: Ints,
    choices: int | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> list[tuple[PassAtK, ...]]:
    """For each arm pass@1, 2, 4, … up to the fewest samples one of its items has.

    ``right`` and ``samples`` (items, arms) count right samples and all of them; an item without a
    sample is left out.
    """
    wanted = [(arm, k) for arm in range(samples.shape[1]) for k in _sizes(samples[:, arm].tolist())]
    passed = np.full((len(samples), len(wanted)), np.nan)
    for column, (arm, k) in enumerate(wanted):
        for item in np.flatnonzero(samples[:, arm]):
            n, c = int(samples[item, arm]), int(right[item, arm])
            passed[item, column] = pass_at_k(n, c, k)
    means = bounded_means(passed, clusters, seed, draws)
    curves: list[list[PassAtK]] = [[] for _ in range(samples.shape[1])]
    for (arm, k), found in zip(wanted, means, strict=True):
        if found is not None:
            curves[arm].append(_against_chance(k, found, choices))
    return [tuple(curve) for curve in curves]


def _sizes(samples: list[int]) -> list[int]:
    least = min((n for n in samples if n), default=0)
    return [1 << i for i in range(least.bit_length())]


def _against_chance(k: int, found: Mean, choices: int | None) -> PassAtK:
    guess = None if choices is None else chance(choices, k)
    above = None if guess is None or guess == 1.0 else (found.value - guess) / (1 - guess)
    return PassAtK(k, found.value, found.low, found.high, guess, above)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Items solved in at least one sample, as counts: by both, by one alone, of ``items``.

    ``inside``: the part of what the arm solves that the baseline solves too; ``expected``: what
    that would be were the two independent. Both None where they would divide by 0.
    """

    items: int
    both: int
    only_baseline: int
    only_arm: int
    inside: float | None
    expected: float | None


def coverage(baseline: Set[str], arm: Set[str], items: int) -> Coverage:
    """From the ids of solved items, of ``items`` both arms have.

    Whether tuning only re-weights what the base model already samples: Yue et al., arXiv
    2504.13837. On few possible answers ``inside`` is high by chance: compare ``expected``.
    """
    both = len(baseline & arm)
    return Coverage(
        items,
        both,
        len(baseline) - both,
        len(arm) - both,
        both / len(arm) if arm else None,
        len(baseline) / items if items else None,
    )
