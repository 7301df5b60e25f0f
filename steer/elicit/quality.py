"""How reliable a direction is, by data that it was not made from.

Examples fall into two halves. What is said of an item is said by the direction of the other half:
in many dimensions a direction always agrees with the items it was made from. Agreement of pairs as
a sign of reliability: Braun et al., arXiv 2505.22637.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from steer.elicit.directions import Classes, direction
from steer.elicit.pca import share_along
from steer.errors import FailedPrecondition

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """Of a direction at one site; None where there are too few examples to say.

    ``split_half_cosine``: of the directions of two halves, -1 to 1. ``steerability``: mean over the
    items of how far they lie towards their class, where 1 is as far as the class's mean: for a
    pair its difference along the direction, for a single item its distance from the middle of the
    means. ``anti_steerable``: share of the items for which that is negative. ``separation``:
    distance of the class means along the direction over the standard deviation within them.
    ``explained_variance``: share of the squared differences of pairs, or without pairs of the
    variance of all activations, that lies along the direction.
    """

    explained_variance: float
    split_half_cosine: float | None = None
    steerability: float | None = None
    anti_steerable: float | None = None
    separation: float | None = None

    def to_dict(self) -> dict[str, float]:
        """What is known, rounded as cards show it."""
        return {key: round(value, 4) for key, value in asdict(self).items() if value is not None}


def quality(method: str, found: Floats, whole: Classes, halves: Sequence[Classes]) -> Quality:
    """Of the direction ``found`` (d,) that a method made from ``whole``, which is ``halves``."""
    explained = _explained(found, whole)
    if any(min(len(half.positive), len(half.negative)) < 1 for half in halves):
        return Quality(explained)
    try:
        made = [direction(method, half) for half in halves]
    except FailedPrecondition:
        return Quality(explained)
    agree = np.concatenate(
        [_items(half, other, by) for half, other, by in _crossed(halves, made)], dtype=np.float64
    )
    return Quality(
        explained_variance=explained,
        split_half_cosine=cosine(*made),
        steerability=float(agree.mean()),
        anti_steerable=float((agree < 0).mean()),
        separation=_separation([(half, by) for half, _, by in _crossed(halves, made)]),
    )


def cosine(one: Floats, other: Floats) -> float:
    """Of two directions, -1 to 1; 0 where one is zero."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return max(-1.0, min(1.0, float(one @ other) / size)) if size else 0.0


def _crossed(
    halves: Sequence[Classes], made: Sequence[Floats]
) -> list[tuple[Classes, Classes, Floats]]:
    """Each half, the other, and the direction of the other."""
    return [(halves[0], halves[1], made[1]), (halves[1], halves[0], made[0])]


def _items(half: Classes, other: Classes, by: Floats) -> Floats:
    """How far each item of a half lies towards its class, by the other half's direction."""
    apart = float(other.difference() @ by)
    if half.pairs is not None:
        return np.asarray(half.pairs @ by / apart, np.float64)
    middle = (other.positive.mean(0) + other.negative.mean(0)) / 2
    up, down = ((one - middle) @ by for one in (half.positive, half.negative))
    return np.asarray(np.concatenate((up, -down)) / (apart / 2), np.float64)


def _separation(crossed: Sequence[tuple[Classes, Floats]]) -> float | None:
    distances, squares, freedom = [], 0.0, 0
    for half, by in crossed:
        unit = by / np.linalg.norm(by)
        sides = [one @ unit for one in (half.positive, half.negative)]
        distances.append(float(sides[0].mean() - sides[1].mean()))
        squares += sum(float(((side - side.mean()) ** 2).sum()) for side in sides)
        freedom += sum(len(side) - 1 for side in sides)
    deviation = (squares / freedom) ** 0.5 if freedom else 0.0
    return sum(distances) / len(distances) / deviation if deviation else None


def _explained(found: Floats, whole: Classes) -> float:
    unit = found / np.linalg.norm(found)
    if whole.pairs is not None:
        return share_along(whole.pairs, unit)
    pooled = np.concatenate((whole.positive, whole.negative))
    return share_along(pooled - pooled.mean(0, dtype=np.float64), unit)
