"""A steered arm against null vectors: seeds of vectors are a level of their own."""

import math
from dataclasses import dataclass, replace

import numpy as np

from steer.measure.paired import Difference, differences
from steer.measure.records import MeasuredArm, Role
from steer.measure.recovery import Share, shares
from steer.measure.statistics import permutation_p
from steer.measure.student import Spread, spread
from steer.measure.study import Study, correct

SEEDED = (Role.RANDOM, Role.WITHIN_CLASS, Role.STRATIFIED)


@dataclass(frozen=True, slots=True)
class Nulls:
    """One kind of null vector against one steered arm, on the items all of them have.

    ``accuracy``: over the ``arms``, one for each seed. ``p``: one-sided permutation p of the
    steered arm's accuracy among theirs; ``p_holm``: corrected for the number of steered arms.
    ``excess``: the steered arm minus the mean of the nulls, item by item; its interval holds for
    other seeds too. ``share``: of the steered arm's gain that the nulls' mean
    brings back. ``cosine``, ``most_cosine``: mean and largest size of the
    cosine to the steered vector, None where not known: a null close to it draws the treatment
    again.
    """

    role: Role
    arms: tuple[str, ...]
    accuracy: Spread
    p: float
    p_holm: float
    excess: Difference
    share: Share
    cosine: float | None
    most_cosine: float | None


def nulls(study: Study, steered: MeasuredArm, role: Role) -> Nulls | None:
    """All arms of ``role`` that control ``steered``; None where there is nothing to compare."""
    arms, table = study.controls(steered.name, role), study.problems
    values = table.means([arm.name for arm in arms], correct)
    own = table.mean(steered.name, correct)
    common = ~np.isnan(own) & ~np.isnan(values).any(axis=1)
    if not arms or not common.any():
        return None
    accuracies = values[common].mean(axis=0).tolist()
    (excess,) = differences(
        own[common, None],
        values[common].mean(axis=1),
        table.clusters[common],
        seed=study.seed,
        draws=study.draws,
    )
    assert excess is not None  # there are items in common
    (share,) = shares(
        study.gains(arms)[common].mean(axis=1, keepdims=True),
        study.gains([steered])[common, 0],
        table.clusters[common],
        seed=study.seed,
        draws=study.draws,
        name="steered arm",
    )
    over = spread(accuracies)
    p = permutation_p(float(own[common].mean()), accuracies)
    cosines = [abs(arm.cosine) for arm in arms if arm.cosine is not None]
    return Nulls(
        role,
        tuple(arm.name for arm in arms),
        over,
        p,
        p,
        _for_other_seeds(excess, over),
        share,
        math.fsum(cosines) / len(cosines) if cosines else None,
        max(cosines, default=None),
    )


def _for_other_seeds(excess: Difference, over: Spread) -> Difference:
    """Add the error of the nulls' mean over seeds to the error over items, in squares.

    That is the interval of a sum of two independent estimates from their own intervals: G. Zou and
    A. Donner, Statistics in Medicine 27 (2008), 1693-1702. One seed says nothing of others.
    """
    if over.high is None:
        return replace(excess, low=-1.0, high=1.0)
    value, half = excess.value, over.high - over.mean
    low = value - math.hypot(value - excess.low, half)
    high = value + math.hypot(excess.high - value, half)
    return replace(excess, low=max(-1.0, low), high=min(1.0, high))
