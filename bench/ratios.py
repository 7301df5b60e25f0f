"""Ratios of times taken in turn in one run."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

Timed = Callable[[], float]
"""Runs once and returns its seconds."""


@dataclass(frozen=True)
class Ratio:
    """A ratio over the repetitions of a run."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Ratio":
        """Smallest, middle and largest of some values."""
        return cls(*(round(f(values), 3) for f in (min, statistics.median, max)))

    def to_dict(self) -> dict[str, float]:
        """As JSON has it."""
        return asdict(self)


def interleave(cases: Mapping[str, Timed], repeats: int) -> dict[str, list[float]]:
    """Seconds of every case, each repetition running all of them in turn.

    The machine's speed drifts; what runs next to each other drifts together. The first round
    warms up and is not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for repeat in range(repeats + 1):
        for name, timed in cases.items():
            taken = timed()
            if repeat:
                seconds[name].append(taken)
    return seconds


def over(times: Sequence[float], base: Sequence[float]) -> Ratio:
    """``times / base``, pair by pair."""
    return Ratio.of([one / other for one, other in zip(times, base, strict=True)])
