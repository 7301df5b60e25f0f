"""What part of one difference another one makes up: gap recovery, and shares of a gain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steer.measure.bootstrap import DRAWS, Floats, Ints, cluster_sums, interval, resampled
from steer.measure.paired import standard_error
from steer.measure.statistics import LEVEL

# A whole closer to 0 than this many standard errors may as well be 0, and nothing is a part of it.
CLEAR = 2.0


@dataclass(frozen=True, slots=True)
class Share:
    """(arm - baseline) / (whole - baseline): 1 is all of it, below 0 the wrong way.

    ``low``, ``high``: bootstrap interval at ``level``; infinite where the whole may be 0. All three
    numbers are None when the share is undefined, and ``undefined`` then says why.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    undefined: str = ""


def shares(
    parts: Floats,
    whole: Floats,
    clusters: Ints,
    *,
    levels: Sequence[float] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    name: str = "ceiling",
) -> list[Share]:
    """The share of ``whole`` (items,) in each column of ``parts`` (items, arms).

    ``levels``: of each column's interval, 0.95 when None; ``name``: what the whole is called.

    Both are differences to the baseline, item by item, each from -1 to 1; NaN items are left out.
    With the ceiling as the whole this is Rec.% / 100 of Venhoff et al., arXiv 2510.07364; with the
    steered arm, the part of its gain that a control brings back. A share whose whole is not at
    least 2 standard errors above 0 is undefined: their own reviewers met "266 %". The interval is
    that of the ratio of two resampled sums, with the two made-up items of ``paired.differences``
    added to both.
    """
    known = ~np.isnan(parts) & ~np.isnan(whole)[:, None]
    wholes = np.where(known, whole[:, None], 0.0)
    columns = np.stack([np.where(known, parts, 0.0), wholes, known], axis=1).astype(float)
    count = int(clusters.max(initial=-1)) + 1
    sums = cluster_sums(columns.reshape(len(parts), -1), clusters, count).reshape(count, 3, -1)
    made_up = np.array([1.0, -1.0])[:, None, None] * np.ones((2, 2, parts.shape[1]))
    both = np.concatenate([sums[:, :2], made_up])
    drawn = resampled(both.reshape(len(both), -1), seed, draws).reshape(draws, 2, -1)
    return [
        _share(sums[:, :, arm], drawn[:, :, arm], level, name)
        for arm, level in enumerate(levels or [LEVEL] * parts.shape[1])
    ]


def _share(sums: Floats, drawn: Floats, level: float, name: str) -> Share:
    """From sums (clusters, [part, whole, items]) and resampled totals (draws, [part, whole])."""
    part, whole, _ = sums.sum(axis=0)
    if undefined := _undefined(sums[:, 1], sums[:, 2], name):
        return Share(None, None, None, level, undefined)
    endless = np.where(drawn[:, 0] < 0, -np.inf, np.inf)
    ratios = np.divide(drawn[:, 0], drawn[:, 1], out=endless, where=drawn[:, 1] > 0)
    low, high = interval(ratios, level, int(np.count_nonzero(sums[:, 2])))
    return Share(float(part / whole), low, high, level)


def _undefined(whole: Floats, sizes: Floats, name: str) -> str:
    """Why nothing is a part of this whole, or nothing."""
    if not sizes.any():
        return "no items in common"
    error, mean = standard_error(whole, sizes), whole.sum() / sizes.sum()
    if error is None:
        return "one cluster of items: no error can be given"
    if mean > CLEAR * error:
        return ""
    points = f"{100 * mean:.1f} points, standard error {100 * error:.1f}"
    return f"the {name} is not clear of the baseline: {points}"
