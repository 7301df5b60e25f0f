"""What revising did to answers: how many wrong ones it put right, how many right ones it spoilt."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from steer.measure.modes import Modes, modes
from steer.measure.paired import Difference, paired_difference
from steer.measure.rates import Rate, rate


@dataclass(frozen=True, slots=True)
class Revised:
    """``modes``: with the first answer as the fast mode and the revised one as the slow. ``delta``:
    the same difference with its interval and test. ``correction`` r_c and ``overthinking`` r_o with
    intervals; None where no first answer was wrong, or none right."""

    modes: Modes
    delta: Difference
    correction: Rate | None
    overthinking: Rate | None


def revised(
    pairs: Sequence[tuple[bool, bool]], clusters: Sequence[Hashable], seed: int = 0
) -> Revised | None:
    """From (first answer right, revised answer right) of each item; None without any.

    ``clusters``: of each item, in the same order. r_c is a proportion of the items answered wrongly
    at first, r_o of those answered rightly; their intervals are ``rates.rate``'s.
    """
    found = modes(pairs)
    if found is None:
        return None
    before, after = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    names = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    numbers = np.array([names[name] for name in clusters], dtype=np.int64)

    def among(chosen: float, hit: float) -> Rate | None:
        hits = np.where(before == chosen, (after == hit).astype(float), np.nan)
        return rate(hits, numbers, int((before == chosen).sum()))

    return Revised(
        found,
        paired_difference(after.tolist(), before.tolist(), clusters, seed),
        among(0.0, 1.0),
        among(1.0, 0.0),
    )
