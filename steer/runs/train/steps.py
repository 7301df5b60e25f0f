"""One step of training: lessons from demonstrations or from rewards, gradients, an update."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from steer.elicit.learner import BadLoss, Learner
from steer.elicit.lessons import Lesson, Manner, Sums
from steer.elicit.rewards import against_mean, leave_one_out
from steer.elicit.rows import Row, in_pieces
from steer.runs.kind import Context
from steer.runs.train.asking import Asking
from steer.runs.train.material import Ids, Material
from steer.specs import Objective, TrainSpec
from steer.types import Where

ADVANTAGES: dict[Objective, Callable[[Sequence[float]], list[float]]] = {
    Objective.RLOO: leave_one_out,
    Objective.GRPO_NO_STD: against_mean,
}
"""The objectives that climb rewards; cross-entropy is the other."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step was. ``record``: numbers of it. ``idle``: no rewards differed, so that nothing
    was learnt."""

    record: dict[str, Any]
    idle: bool = False


@dataclass(frozen=True)
class Steps:
    """Takes steps. ``kept``: rows of what is to be retained. ``room``: tokens of a pass."""

    spec: TrainSpec
    context: Context
    material: Material
    asking: Asking
    kept: Sequence[Row]
    room: int

    def take(self, learner: Learner, step: int, measure: bool) -> Taken:
        """Step number ``step``, from 1. ``measure``: tell the KLs, whatever their weights.

        Raises BadLoss or Diverged when a number is not finite; the learner is of no use then.
        """
        places = self.material.drawn(step)
        climbs = self.spec.objective in ADVANTAGES
        lessons, record = (self._rewarded if climbs else self._shown)(places, step, learner)
        if climbs and not any(lesson.climb for lesson in lessons):
            return Taken(record, idle=True)
        # What nothing pulls at has no gradient.
        pulled = (
            lessons if measure or not climbs else [one for one in lessons if one.climb or one.stay]
        )
        found = self._study(learner, pulled, measure)
        kept = self._study(learner, self._keeping(), measure)
        loss = found.loss + kept.loss
        if not math.isfinite(loss):
            raise BadLoss(f"the loss is {loss} at step {step}: the rate may be too high")
        learner.update(self._rate(step), self.spec.norm)
        if not climbs:
            record["loss"] = found.surprise / len(places)
        if measure or self.spec.kl:
            record["kl"] = found.moved / found.tokens
        if self.spec.teacher:
            record["teacher_kl"] = found.missed / found.tokens
        if kept.tokens:
            record["retention_kl"] = kept.lost / kept.tokens
        return Taken(record)

    def _shown(
        self, places: Sequence[int], step: int, learner: Learner
    ) -> tuple[list[Lesson], dict[str, Any]]:
        shown = [(self.material.prompt(at), self.material.target(at)) for at in places]
        tokens = sum(len(target) for _, target in shown)
        lessons = [
            Lesson(
                self._row(prompt, target),
                climb=1 / len(places),
                stay=self.spec.kl / tokens,
                follow=self.spec.teacher / tokens,
                teacher=self.material.teacher(at) if self.spec.teacher else (),
            )
            for at, (prompt, target) in zip(places, shown, strict=True)
        ]
        return lessons, {}

    def _rewarded(
        self, places: Sequence[int], step: int, learner: Learner
    ) -> tuple[list[Lesson], dict[str, Any]]:
        spec, task = self.spec, self.material.task
        assert task is not None, "rewards are a task's"
        items = [self.material.problems[at] for at in places]
        groups = self.asking.sampled(
            items, learner.state().vectors, spec.group, spec.temperature, f"{spec.seed}/{step}"
        )
        rewards = [
            [float(task.grade(item, one.text).correct) for one in group]
            for item, group in zip(items, groups, strict=True)
        ]
        count = len(items) * spec.group
        tokens = sum(len(one.token_ids) for group in groups for one in group)
        lessons = [
            Lesson(
                self._row(self.material.asked(item), one.token_ids),
                climb=advantage / count,
                stay=spec.kl / tokens,
            )
            for item, group, given in zip(items, groups, rewards, strict=True)
            for one, advantage in zip(group, ADVANTAGES[spec.objective](given), strict=True)
        ]
        mean = sum(map(sum, rewards)) / count
        varied = sum(min(given) < max(given) for given in rewards) / len(rewards)
        return lessons, {"reward": mean, "varied": varied}

    def _keeping(self) -> list[Lesson]:
        tokens = sum(len(row.completion) for row in self.kept)
        return [Lesson(row, keep=self.spec.retain / tokens) for row in self.kept]

    def _study(self, learner: Learner, lessons: Sequence[Lesson], measure: bool) -> Sums:
        """Each piece is a loan of its own, so that whoever asks something waits for one at most."""
        manner = Manner(self._temperature, self.spec.teacher_top_k, measure)
        sums = Sums()
        for piece in in_pieces([lesson.row for lesson in lessons], self.room):
            given = lessons[piece]
            sums += self.context.borrow(partial(learner.study, lessons=given, manner=manner))
        return sums

    def _row(self, prompt: Ids, completion: Ids) -> Row:
        return Row.of(prompt, completion, self.asking.where, self.material.text.special)

    def _rate(self, step: int) -> float:
        if not self.spec.cosine:
            return self.spec.rate
        return self.spec.rate * 0.5 * (1 + math.cos(math.pi * (step - 1) / self.spec.steps))

    @property
    def _temperature(self) -> float:
        return self.spec.temperature if self.spec.objective in ADVANTAGES else 1.0


def where_of(spec: TrainSpec) -> Where:
    """At which tokens the vectors act, in training and by their card."""
    return Where(phase=spec.phase)
