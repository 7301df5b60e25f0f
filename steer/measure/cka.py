"""Linear CKA: how alike the geometry of two sets of activations of the same prompts is.

CKA(X, Y) = ‖YᵀX‖²_F / (‖XᵀX‖_F·‖YᵀY‖_F), columns centred: 0 for nothing in common, 1 for the same
up to rotation and scale. Source: Kornblith et al., "Similarity of Neural Network Representations
Revisited", arXiv 1905.00414, equation 7 with a linear kernel. With few prompts beside the width it
is far above 0 for activations that share nothing, which is what ``floor`` is there to show.
"""

from dataclasses import dataclass

import numpy as np

from steer.measure.bootstrap import Floats
from steer.measure.statistics import LEVEL

DRAWS, SPLITS = 200, 20


@dataclass(frozen=True, slots=True)
class Similarity:
    """``value``, 0 to 1, over ``n`` prompts; ``low``, ``high``: 95 % bootstrap interval over
    prompts. ``floor``: the mean between two halves of one mode's prompts, matched at random: what
    activations of different prompts have in common. None where it is undefined."""

    n: int
    value: float | None
    low: float | None
    high: float | None
    floor: float | None


def linear_cka(x: Floats, y: Floats) -> float | None:
    """CKA of activations (n, d) and (n, e) of the same n prompts; None where one is constant.

    Raises ValueError for different n.
    """
    if len(x) != len(y):
        raise ValueError(f"{len(x)} rows and {len(y)}: rows must be of the same prompts")
    return _aligned(_gram(x), _gram(y))


def similarity(x: Floats, y: Floats, seed: int = 0) -> Similarity:
    """CKA of two modes, (n, d) each, with its uncertainty and its noise floor."""
    rng = np.random.default_rng(seed)
    n, of, to = len(x), _gram(x), _gram(y)
    drawn = []
    for _ in range(DRAWS):
        # A prompt drawn twice would be more like itself than any two prompts are: the interval
        # would lie above the value. Each counts once.
        rows = np.unique(rng.integers(0, n, n))
        drawn.append(_aligned(of[np.ix_(rows, rows)], to[np.ix_(rows, rows)]))
    known = [one for one in drawn if one is not None]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known, (tail, 1 - tail)) if known else (None, None)
    return Similarity(n, _aligned(of, to), _plain(low), _plain(high), _floor(of, rng))


def _floor(gram: Floats, rng: np.random.Generator) -> float | None:
    half = len(gram) // 2
    found = []
    for _ in range(SPLITS):
        rows = rng.permutation(len(gram))
        one, other = rows[:half], rows[half : 2 * half]
        found.append(_aligned(gram[np.ix_(one, one)], gram[np.ix_(other, other)]))
    known = [one for one in found if one is not None]
    return float(np.mean(known)) if known else None


def _gram(x: Floats) -> Floats:
    centred = x - x.mean(axis=0, dtype=np.float64)
    return np.asarray(centred @ centred.T)


def _aligned(of: Floats, to: Floats) -> float | None:
    """⟨HKH, HLH⟩ / (‖HKH‖·‖HLH‖) of two Gram matrices, H centring: the same as by columns."""
    of, to = _centred(of), _centred(to)
    sizes = float(np.linalg.norm(of) * np.linalg.norm(to))
    if not sizes or not np.isfinite(sizes):
        return None
    return float((of * to).sum() / sizes)


def _centred(gram: Floats) -> Floats:
    rows = gram - gram.mean(axis=0)
    return np.asarray(rows - rows.mean(axis=1, keepdims=True))


def _plain(value: float | None) -> float | None:
    return None if value is None else float(value)
