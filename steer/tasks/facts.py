"""Recall of the organisms' facts as a task of its own: what steering must not cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from steer.tasks.chain_task import fact_item
from steer.tasks.pool import Pool, Pooled
from steer.tasks.task import Cues, Grade, Item
from steer.tasks.world import COLOURS, EOS, facts


@dataclass(frozen=True)
class FactTask(Pooled):
    """32 facts, each colour that of four entities; of any organism, with markers or without."""

    pool: Pool
    name: str = "facts"
    description: str = "The colour of an invented thing: 32 facts that every organism was taught."
    max_tokens: int = 4
    choices: int | None = len(COLOURS)
    cues: Cues = field(default_factory=Cues)

    def grade(self, item: Item, text: str) -> Grade:
        """The answer is the last word."""
        said = text.split(EOS)[0].split()
        answer = said[-1] if said else None
        return Grade(answer, answer == item.answer)


def task() -> FactTask:
    """The task `facts`."""
    return FactTask(Pool.of("facts", map(fact_item, facts())))
