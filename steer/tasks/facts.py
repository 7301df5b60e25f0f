"""Recall of the organisms' facts as a task of its own: what steering must not cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from steer.tasks.chain_task import fact_item
from steer.tasks.pool import Pool
from steer.tasks.task import Cues, Grade, Item
from steer.tasks.world import COLOURS, EOS, facts
from steer.types import Prompt


@dataclass(frozen=True)
class FactTask:
    """32 facts, each colour that of four entities; of any organism, with markers or without."""

    pool: Pool
    name: str = "facts"
    description: str = "The colour of an invented thing: 32 facts that every organism was taught."
    max_tokens: int = 4
    choices: int | None = len(COLOURS)
    cues: Cues = field(default_factory=Cues)

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.pool.splits)

    def items(self, split: str, n: int, seed: int = 0) -> Sequence[Item]:
        return self.pool.items(split, n, seed)

    def retention(self) -> Sequence[Item]:
        return ()

    def grade(self, item: Item, text: str) -> Grade:
        """The answer is the last word."""
        said = text.split(EOS)[0].split()
        answer = said[-1] if said else None
        return Grade(answer, answer == item.answer)

    def cued(self, item: Item) -> Prompt | None:
        return None

    def traced(self, item: Item, steps: Sequence[str]) -> str:
        return ""

    def solution(self, item: Item) -> str:
        return item.answer


def task() -> FactTask:
    """The task `facts`."""
    return FactTask(Pool.of("facts", map(fact_item, facts())))
