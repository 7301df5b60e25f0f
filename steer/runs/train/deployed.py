"""Activations where the vectors will act: how large they are, and how they spread."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from steer.elicit.state import Array
from steer.elicit.within import class_statistics
from steer.intervene.plan import Plan
from steer.runs.kind import Context
from steer.store import ClassStatistics
from steer.tasks.task import Item
from steer.types import CaptureTrial, Sampling, Site, Trial, Where

TEXTS = 256
"""Problems whose unsteered answers are read."""
ROWS = 2048
"""Activations at a site that its statistics are made from."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """By site: mean ‖h‖ of the unsteered model over the positions where vectors act, and what is
    within them, as one class. Sites without such a position are left out.

    The first position of a row counts for none: models park attention there, with activations that
    can be a hundred times as large as all others.
    """

    norms: Mapping[Site, float]
    classes: Mapping[Site, ClassStatistics]


def deployed(
    items: Sequence[Item],
    sites: Sequence[Site],
    where: Where,
    max_tokens: int,
    context: Context,
) -> Deployed:
    """Read off the model's own greedy answers."""

    def plans() -> Iterator[tuple[int, Plan]]:
        for place, item in enumerate(items[:TEXTS]):
            trial = Trial(item.prompt, sampling=Sampling(max_tokens=max_tokens), measure=False)
            capture = CaptureTrial(trial, tuple(sites), where)
            yield place, context.planner.capture(capture, "")

    sizes: dict[Site, dict[int, tuple[float, int]]] = {site: {} for site in sites}
    rows: dict[Site, dict[int, Array]] = {site: {} for site in sites}
    share = max(1, ROWS // max(1, min(len(items), TEXTS)))
    for place, answer in context.answers(plans()):
        for captured in answer.captured.values():
            for site, (positions, values) in captured.activations.items():
                found = values[[at for at, position in enumerate(positions) if position]]
                if not len(found):
                    continue
                length = np.linalg.norm(found.astype(np.float64), axis=1).sum()
                sizes[site][place] = (float(length), len(found))
                rows[site][place] = found[:: -(-len(found) // share)].copy()
    return Deployed(
        {site: _mean(told) for site, told in sizes.items() if told},
        {site: _within(told) for site, told in rows.items() if told},
    )


def _mean(told: Mapping[int, tuple[float, int]]) -> float:
    # In the order of the problems, not of the answers: sums depend on it.
    given = [told[place] for place in sorted(told)]
    return round(sum(size for size, _ in given) / sum(count for _, count in given), 4)


def _within(told: Mapping[int, Array]) -> ClassStatistics:
    return class_statistics([[told[place] for place in sorted(told)]])
