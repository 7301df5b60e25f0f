"""Completions that begin with a trace made from the subject's own, to see what the answer owes it.

Truncation with the answer asked for at once, and a mistake put into a trace that then goes on, are
the tests of Lanham et al. (arXiv 2307.13702); the trace of another item is that of Stechly et al.
(arXiv 2505.13775).
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from steer.intervene.ports import Text
from steer.measure.records import MeasuredArm, Role
from steer.runs.evaluate.entries import Entry
from steer.tasks.task import Item, Task
from steer.types import Arm, Prompt

Steps = tuple[str, ...]


@dataclass(frozen=True)
class Writer:
    """Writes the beginnings of completions, as token ids."""

    task: Task
    text: Text

    def prefix(self, item: Item, steps: Sequence[str], answering: bool = True) -> tuple[int, ...]:
        """A trace of these steps; ``answering``: and what asks for the answer, where the task has
        such a thing. May be empty."""
        asked = self.task.cues.answer_only if answering else ""
        return self.ids(self.task.traced(item, steps)) + self.ids(asked)

    def ids(self, text: str) -> tuple[int, ...]:
        """Token ids of a text that continues another; none of none."""
        return self.text.encode_bare(Prompt(text), "text") if text else ()

    def filler(self, item: Item, length: int) -> tuple[int, ...]:
        """A trace of ``length`` steps that say nothing."""
        return self.prefix(item, (self.task.cues.filler,) * length)


@dataclass(frozen=True)
class Rewriter:
    """What to put in the place of each item's trace. ``own``: the subject's steps by item id,
    items without a trace left out. An item's others are those of the same unit."""

    writer: Writer
    own: Mapping[str, Steps]

    def arm_for(self, entry: Entry, item: Item) -> Arm | None:
        """An arm of ``WRITTEN`` for an item; None where its traces do not allow it."""
        if item.id not in self.own:
            return None
        prefix = self._prefix(entry.about, item, self.own[item.id])
        return replace(entry.arm, forced_prefix=Prompt(token_ids=prefix)) if prefix else None

    def other(self, item: Item) -> Steps | None:
        """The trace of the next item that has another one; None where there is none."""
        ids = list(self.own)
        place = ids.index(item.id) if item.id in self.own else 0
        later = (self.own[one] for one in ids[place:] + ids[:place])
        return next((steps for steps in later if steps != self.own.get(item.id)), None)

    def _prefix(self, about: MeasuredArm, item: Item, own: Steps) -> tuple[int, ...]:
        write = self.writer.prefix
        match about.role:
            case Role.SWAPPED:
                other = self.other(item)
                return () if other is None else write(item, other)
            case Role.CORRUPTED:
                wrong = self._wrong(item, own)
                return () if wrong is None else write(item, wrong, answering=False)
            case Role.TRUNCATED:
                return write(item, own[: math.floor((about.value or 0.0) * len(own))])
            case _:
                return self.writer.filler(item, len(own))

    def _wrong(self, item: Item, own: Steps) -> Steps | None:
        """The trace up to one of its steps, with another in that step's place."""
        drawn = int.from_bytes(hashlib.blake2b(item.id.encode(), digest_size=8).digest())
        place = drawn % len(own)
        steps = sorted({step for trace in self.own.values() for step in trace} - {own[place]})
        return (*own[:place], steps[drawn // len(own) % len(steps)]) if steps else None
