"""Keeping what a Capture call read, for the op ``replace``."""

from steer.engine.collector import CaptureCollector
from steer.intervene.captures import Captures
from steer.types import HeldCapture


def keep(collected: CaptureCollector, captures: Captures) -> tuple[HeldCapture, ...]:
    """Keep everything; one id for each row. Raises TooLarge."""
    return tuple(
        HeldCapture(arm, sample, captures.keep(captured), captured.size)
        for (arm, sample), captured in collected.rows().items()
    )
