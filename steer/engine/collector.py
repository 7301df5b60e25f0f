"""Whole rows from their chunks, and their activations from the pieces in which they are read."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from steer.engine.base import Event
from steer.intervene.captures import Captured
from steer.intervene.operands import Array
from steer.intervene.plan import Plan
from steer.types import CapturedActivations, Chunk, Finished, Site

Key = tuple[str, int]


class RowCollector:
    """Gathers the events of a plan by (arm, sample)."""

    def __init__(self) -> None:
        self._chunks: dict[Key, list[Chunk]] = defaultdict(list)
        self._finished: dict[Key, Finished] = {}

    def add(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, Chunk):
            self._chunks[event.arm, event.sample].append(event)
        elif isinstance(event, Finished):
            self._finished[event.arm, event.sample] = event

    def ordered(self, plan: Plan) -> Iterator[tuple[Chunk, Finished]]:
        """Rows in the order of arms and samples, each as one chunk and its end."""
        for arm in plan.arms:
            for sample in range(plan.samples):
                key = (arm.name, sample)
                yield _joined(arm.name, sample, self._chunks[key]), self._finished[key]


class CaptureCollector:
    """Gathers the activations of a plan by (arm, sample)."""

    def __init__(self, plan: Plan) -> None:
        self._lengths = {arm.name: len(arm.prompt) for arm in plan.arms}
        self._parts: dict[Key, dict[Site, list[CapturedActivations]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def add(self, part: CapturedActivations) -> None:
        """Some more of one row."""
        self._parts[part.arm, part.sample][part.site].append(part)

    def rows(self) -> dict[Key, Captured]:
        """All there is, in the order of arms' names and samples."""
        return {
            key: Captured(
                self._lengths[key[0]],
                {site: _whole(parts) for site, parts in self._parts[key].items()},
            )
            for key in sorted(self._parts)
        }


def _whole(parts: Sequence[CapturedActivations]) -> tuple[tuple[int, ...], Array]:
    positions = tuple(position for part in parts for position in part.positions)
    values = np.frombuffer(b"".join(part.data for part in parts), "<f4")
    return positions, values.reshape(len(positions), -1)


def _joined(arm: str, sample: int, chunks: Sequence[Chunk]) -> Chunk:
    return Chunk(
        arm=arm,
        sample=sample,
        token_ids=tuple(chain.from_iterable(chunk.token_ids for chunk in chunks)),
        text="".join(chunk.text for chunk in chunks),
        logprobs=tuple(chain.from_iterable(chunk.logprobs for chunk in chunks)),
        ranks=tuple(chain.from_iterable(chunk.ranks for chunk in chunks)),
        alternatives=tuple(chain.from_iterable(chunk.alternatives for chunk in chunks)),
        margins=tuple(chain.from_iterable(chunk.margins for chunk in chunks)),
    )
