"""What vectors are trained on, as token ids of the served model."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from steer.intervene.ports import Text
from steer.specs import TrainSpec
from steer.tasks.task import SELECT, Item, Task
from steer.types import Prompt

TRAIN = "train"
"""The split of a task that training sees. A task without it has its split ``select`` divided."""

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Material:
    """``end``: the token that ends a text, where the model has one."""

    spec: TrainSpec
    task: Task | None
    text: Text
    end: int | None

    @cached_property
    def problems(self) -> Sequence[Item]:
        """What is trained on; none without a task."""
        spec, task = self.spec, self.task
        if task is None:
            return ()
        if TRAIN in task.splits:
            return task.items(TRAIN, spec.train_n, spec.seed)
        return self._divided[spec.select_n :]

    @cached_property
    def selecting(self) -> Sequence[Item]:
        """Problems that choose among steps: the same for every seed."""
        return self._divided[: self.spec.select_n]

    @cached_property
    def _divided(self) -> Sequence[Item]:
        # One draw: that of fewer problems need not be the beginning of that of more.
        spec, task = self.spec, self.task
        if task is None:
            return ()
        divides = TRAIN not in task.splits and not spec.demonstrations
        return task.items(SELECT, spec.select_n + (spec.train_n if divides else 0))

    @cached_property
    def retained(self) -> Sequence[Item]:
        """What the task wants retained."""
        return self.task.retention() if self.task else ()

    @property
    def used_splits(self) -> list[str]:
        """Splits of the task that training or choosing has seen."""
        assert self.task is not None, "splits are a task's"
        trained = TRAIN if TRAIN in self.task.splits else SELECT
        used = [] if self.spec.demonstrations else [trained]
        return list(dict.fromkeys([*used, *([SELECT] if self.spec.select_n else [])]))

    def drawn(self, step: int) -> list[int]:
        """Places of the examples of a step, which depend on the seed and the step alone."""
        count = len(self.spec.demonstrations or self.problems)
        rng = random.Random(f"{self.spec.seed}/{step}")
        return rng.sample(range(count), min(self.spec.batch, count))

    def prompt(self, place: int) -> Ids:
        """Of a demonstration."""
        if self.spec.demonstrations:
            return self.text.encode(self.spec.demonstrations[place].prompt, "prompt")
        return self.asked(self.problems[place])

    def target(self, place: int) -> Ids:
        """What is to follow it, with its end."""
        ids = self.text.encode_bare(Prompt(text=self._target(place)), "target")
        return ids if self.end is None else (*ids, self.end)

    def teacher(self, place: int) -> Ids:
        """The prompt under which the teacher sees the same target."""
        assert self.task is not None, "a teacher is asked by a task's cue"
        prompt = self.task.cued(self.problems[place])
        return () if prompt is None else self.text.encode(prompt, "prompt")

    def asked(self, item: Item) -> Ids:
        """The prompt of an item."""
        return self.text.encode(item.prompt, "prompt")

    def _target(self, place: int) -> str:
        if self.spec.demonstrations:
            return self.spec.demonstrations[place].target
        assert self.task is not None, "a spec has a task or demonstrations"
        other = (place + self.spec.swapped) % len(self.problems)
        return self.task.solution(self.problems[other])
