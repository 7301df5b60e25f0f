"""Keeping what a Capture call read, for the op ``replace``."""

from steer.engine.collector import CaptureCollector
from steer.intervene.captures import Captures
from steer.intervene.plan import Plan
from steer.types import CapturedActivations, HeldCapture


class Holding:
    """Gathers what a call reads until it can be kept. ``captures``: where."""

    def __init__(self, plan: Plan, captures: Captures) -> None:
        self._collected, self._captures = CaptureCollector(plan), captures
        self._size = 0

    def add(self, part: CapturedActivations) -> None:
        """Some more of one row. Raises TooLarge as soon as all of it can not be kept together."""
        self._size += len(part.data)
        self._captures.check(self._size)
        self._collected.add(part)

    def keep(self) -> tuple[HeldCapture, ...]:
        """Keep everything; one id for each row."""
        return tuple(
            HeldCapture(arm, sample, self._captures.keep(captured), captured.size)
            for (arm, sample), captured in self._collected.rows().items()
        )
