"""A fixed set of items, dealt into splits by their content and drawn from by a seed."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from steer.errors import InvalidRequest
from steer.tasks.splits import split_of
from steer.tasks.task import REPORT, SELECT, Item
from steer.types import Prompt

HALVES: Mapping[str, range] = {SELECT: range(50), REPORT: range(50, 100)}


@dataclass(frozen=True, slots=True)
class Pool:
    """``splits``: the items by split, each split in the order the items came in."""

    name: str
    splits: Mapping[str, tuple[Item, ...]]

    @classmethod
    def of(cls, name: str, items: Iterable[Item], splits: Mapping[str, range] = HALVES) -> Pool:
        """Deal items out by a hash of what they ask, so that equal prompts share a split, and those
        that differ in case, white space or forms of the same letters."""
        dealt: dict[str, list[Item]] = {split: [] for split in splits}
        for item in items:
            dealt[split_of(_alike(content(item)), splits)].append(item)
        return cls(name, {split: tuple(held) for split, held in dealt.items()})

    def items(self, split: str, n: int, seed: int = 0) -> tuple[Item, ...]:
        """``n`` different items of a split: the first ``n`` of an order that the seed decides.

        Raises InvalidRequest for an unknown split, or when it has fewer than ``n`` items.
        """
        held = self._held(split)
        if not 0 <= n <= len(held):
            raise InvalidRequest(
                f"task {self.name}: split {split} has {len(held)} items, {n} were asked for; "
                f"give an n of at most {len(held)}"
            )
        return tuple(random.Random(f"{self.name}/{split}/{seed}").sample(held, n))

    def most(self, split: str) -> int:
        """The largest ``n`` of ``items``. Raises InvalidRequest for an unknown split."""
        return len(self._held(split))

    def _held(self, split: str) -> tuple[Item, ...]:
        if split not in self.splits:
            known = ", ".join(self.splits)
            raise InvalidRequest(f"task {self.name}: unknown split {split!r}; there are {known}")
        return self.splits[split]


class Pooled:
    """What tasks of a pool have in common: nothing is retained, cued or traced."""

    pool: Pool

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.pool.splits)

    def most(self, split: str) -> int:
        return self.pool.most(split)

    def items(self, split: str, n: int, seed: int = 0) -> Sequence[Item]:
        return self.pool.items(split, n, seed)

    def retention(self) -> Sequence[Item]:
        return ()

    def cued(self, item: Item) -> Prompt | None:
        return None

    def traced(self, item: Item, steps: Sequence[str]) -> str:
        return ""

    def solution(self, item: Item) -> str:
        return item.answer


def content(item: Item) -> str:
    """What an item asks, as one text."""
    asked = item.prompt
    said = (asked.text or "", *(f"{message.role}\n{message.content}" for message in asked.messages))
    return "\n\n".join(said).strip()


def _alike(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
