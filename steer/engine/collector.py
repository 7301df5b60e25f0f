"""Whole rows from their chunks."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from steer.engine.base import Event
from steer.intervene.plan import Plan
from steer.types import Chunk, Finished

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


def _joined(arm: str, sample: int, chunks: Sequence[Chunk]) -> Chunk:
    return Chunk(
        arm=arm,
        sample=sample,
        token_ids=tuple(chain.from_iterable(chunk.token_ids for chunk in chunks)),
        text="".join(chunk.text for chunk in chunks),
        logprobs=tuple(chain.from_iterable(chunk.logprobs for chunk in chunks)),
        ranks=tuple(chain.from_iterable(chunk.ranks for chunk in chunks)),
        alternatives=tuple(chain.from_iterable(chunk.alternatives for chunk in chunks)),
    )
