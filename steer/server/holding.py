"""Gathering what a Capture call read, to be kept for the op ``replace``."""

from collections import defaultdict

import numpy as np

from steer.intervene.captures import Captured, Captures
from steer.intervene.operands import Array
from steer.intervene.plan import Plan
from steer.types import CapturedActivations, HeldCapture, Site

Place = tuple[str, int]
"""Arm and sample of a row."""


class Holding:
    """Activations of every row of a plan, as they come in."""

    def __init__(self, plan: Plan) -> None:
        self._lengths = {arm.name: len(arm.prompt) for arm in plan.arms}
        self._parts: dict[Place, dict[Site, list[CapturedActivations]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def add(self, part: CapturedActivations) -> None:
        """Some more of one row."""
        self._parts[part.arm, part.sample][part.site].append(part)

    def keep(self, captures: Captures) -> tuple[HeldCapture, ...]:
        """Keep everything; one id for each row. Raises TooLarge."""
        return tuple(self._keep(place, captures) for place in sorted(self._parts))

    def _keep(self, place: Place, captures: Captures) -> HeldCapture:
        arm, sample = place
        rows = {site: _joined(parts) for site, parts in self._parts[place].items()}
        captured = Captured(self._lengths[arm], rows)
        return HeldCapture(arm, sample, captures.keep(captured), captured.size)


def _joined(parts: list[CapturedActivations]) -> tuple[tuple[int, ...], Array]:
    positions = tuple(position for part in parts for position in part.positions)
    values = np.frombuffer(b"".join(part.data for part in parts), "<f4")
    return positions, values.reshape(len(positions), -1)
