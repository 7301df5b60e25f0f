"""What training asks of the engine: greedy answers, and groups of samples, under the vectors."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from steer.elicit.state import Vectors
from steer.errors import FailedPrecondition
from steer.intervene.plan import Plan
from steer.runs.kind import Context
from steer.tasks.task import Item
from steer.types import (
    STEERED,
    Add,
    Arm,
    Chunk,
    Direction,
    FinishReason,
    Inline,
    Intervention,
    Sampling,
    Trial,
    Where,
)

T = TypeVar("T")


class Diverged(FailedPrecondition):
    """Under the vectors the model's predictions are not finite."""

    default_reason = "LOSS_NOT_FINITE"


@dataclass(frozen=True)
class Asking:
    """Asks items under vectors, behind everything interactive. ``where``: at which tokens they
    act."""

    context: Context
    where: Where
    max_tokens: int

    def greedy(self, items: Sequence[Item], vectors: Vectors) -> list[Chunk]:
        """The likeliest completion of each; ``vectors`` empty, or all zero: unsteered."""
        sampling = Sampling(max_tokens=self.max_tokens)
        asked = [(item, sampling) for item in items]
        return [rows[0] for rows in self._ask(asked, vectors, 1)]

    def sampled(
        self, items: Sequence[Item], vectors: Vectors, group: int, temperature: float, seed: str
    ) -> list[list[Chunk]]:
        """``group`` completions of each; ``seed``: of their random numbers."""
        asked = [
            (item, Sampling(temperature, max_tokens=self.max_tokens, seed=_seed(seed, item)))
            for item in items
        ]
        return self._ask(asked, vectors, group)

    def _ask(
        self, asked: Sequence[tuple[Item, Sampling]], vectors: Vectors, samples: int
    ) -> list[list[Chunk]]:
        arms = (self._arm(vectors),) if any(v.any() for v in vectors.values()) else ()
        found: dict[int, list[Chunk]] = {}
        for place, answer in self.context.answers(self._plans(asked, arms, samples)):
            for _, finished in answer.rows:
                if finished.reason is FinishReason.DIVERGED:
                    raise Diverged("under the vectors the model's predictions are not finite")
            found[place] = [chunk for chunk, _ in answer.rows]
        return [found[place] for place in range(len(asked))]

    def _plans(
        self, asked: Sequence[tuple[Item, Sampling]], arms: tuple[Arm, ...], samples: int
    ) -> Iterable[tuple[int, Plan]]:
        for place, (item, sampling) in enumerate(asked):
            trial = Trial(
                item.prompt,
                arms,
                baseline=not arms,
                sampling=sampling,
                samples=samples,
                measure=False,
            )
            yield place, self.context.planner.trial(trial, "")

    def _arm(self, vectors: Vectors) -> Arm:
        directions = (
            Direction(vector.astype("<f4").tobytes(), at) for at, vector in vectors.items()
        )
        return Arm(STEERED, (Intervention(Add(Inline(tuple(directions))), where=self.where),))


def _seed(seed: str, item: Item) -> int:
    digest = hashlib.blake2b(f"{seed}/{item.id}".encode(), digest_size=6).digest()
    return int.from_bytes(digest)
