"""The trials of an item: its arms in as few as there is room for."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steer.specs import EvaluateSpec
from steer.tasks.task import Item, Task
from steer.types import Arm, Sampling, Trial


@dataclass(frozen=True)
class Asking:
    """Makes trials. ``rows``: most rows of one, so that several run at once. Arms that are not in
    the same trial share their random numbers all the same."""

    spec: EvaluateSpec
    task: Task
    rows: int

    def trials(
        self,
        item: Item,
        arms: Sequence[Arm],
        *,
        measure: bool = False,
        baseline: bool = False,
        samples: int | None = None,
    ) -> Iterator[Trial]:
        """Trials of an item under these arms, with ``baseline`` in the first of them; ``samples``:
        fewer than the spec has."""
        samples = samples or self.spec.samples
        room = max(1, self.rows // (samples * (2 if measure else 1)))
        for begin in range(0, max(len(arms), baseline), room):
            chunk = tuple(arms[begin : begin + room])
            yield Trial(
                item.prompt,
                chunk,
                baseline=baseline and begin == 0,
                sampling=self._sampling(item, chunk),
                samples=samples,
                measure=measure,
                allow_model_mismatch=self.spec.allow_model_mismatch,
            )

    @property
    def max_tokens(self) -> int:
        """Most tokens of a completion that begins with nothing forced."""
        return max_tokens(self.spec, self.task)

    def seed(self, item: Item) -> int:
        """Of the item's random numbers, which are not those of another item."""
        digest = hashlib.blake2b(f"{self.spec.seed}/{item.id}".encode(), digest_size=6).digest()
        return int.from_bytes(digest)

    def _sampling(self, item: Item, arms: Sequence[Arm]) -> Sampling:
        # A trace that is given must leave as much room for what follows as one that is written.
        given = (arm.forced_prefix.token_ids for arm in arms if arm.forced_prefix)
        forced = max(map(len, given), default=0)
        return replace(
            self.spec.sampling, max_tokens=self.max_tokens + forced, seed=self.seed(item)
        )


def max_tokens(spec: EvaluateSpec, task: Task) -> int:
    """Most tokens of a completion: as asked for, else what the task needs."""
    return spec.sampling.max_tokens or task.max_tokens
