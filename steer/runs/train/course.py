"""The course of a training run, unit by unit: the beginning, chunks of steps, the vector."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from steer.elicit.learner import BadLoss, Learner
from steer.elicit.policy import end_token, room
from steer.elicit.rows import Row
from steer.elicit.state import State, Vectors
from steer.errors import FailedPrecondition
from steer.runs.kind import Context, Json
from steer.runs.tasks import load
from steer.runs.train.asking import Asking, Diverged
from steer.runs.train.deployed import Deployed, deployed
from steer.runs.train.looks import Look, Looks
from steer.runs.train.material import Material
from steer.runs.train.standing import Best, Standing
from steer.runs.train.steps import Steps, where_of
from steer.specs import TrainSpec
from steer.tasks.task import Item
from steer.types import Site

TOKENS = 64
"""Longest completion, where neither spec nor task says."""

ENOUGH, NO_VARIANCE, NOT_FINITE = "ENOUGH", "NO_REWARD_VARIANCE", "LOSS_NOT_FINITE"


class NoRewardVariance(FailedPrecondition):
    """Every completion of a prompt got the same reward, in all of so many steps: nothing to learn
    from."""

    default_reason = NO_VARIANCE

    def __init__(self, steps: int) -> None:
        super().__init__(
            f"no variance of rewards within any prompt in {steps} steps: the wanted behaviour is "
            "never, or always, sampled; cross-entropy on demonstrations needs none"
        )


class Course:
    """What the units of a run share. Deterministic: what a step does depends on the spec and on
    where training stands."""

    def __init__(self, spec: TrainSpec, context: Context) -> None:
        self.spec, self.context = spec, context
        task = None if spec.task is None else load(spec.task)
        self.material = Material(spec, task, context.planner.text, context.borrow(end_token))
        longest = spec.max_tokens or (task.max_tokens if task else TOKENS)
        self.asking = Asking(context, where_of(spec), longest)
        self.looks = Looks(self.material, self.asking)

    def begin(self) -> Json:
        """What training starts from: the unsteered model, measured."""
        norms = self.deployed.norms
        look = self.looks.at({})
        return {
            "records": [{"step": 0, **look.to_dict()}],
            "norms": {str(site): norm for site, norm in norms.items()},
            "retained": [list(one.token_ids) for one in self._retained()],
        }

    def go(self, begin: int, end: int, standing: Standing, begun: Json) -> tuple[Json, Standing]:
        """Take the steps from ``begin`` to ``end``, the last included, unless training ends before.
        ``begun``: what ``begin`` found. Returns the result of the unit and where training stands.

        Raises NoRewardVariance, BadLoss or Diverged when nothing at all has been learnt before.
        """
        learner, records, before = Learner(standing.state), list[dict[str, Any]](), standing
        steps = self._steps(begun)
        for step in range(begin, end + 1):
            if standing.ended:
                break
            look = step % self.spec.select_every == 0 or step == self.spec.steps
            try:
                taken = steps.take(learner, step, measure=look)
                idle = standing.idle + 1 if taken.idle else 0
                standing = replace(standing, state=learner.state(), step=step, idle=idle)
                standing, seen = self._looked(standing) if look else (standing, Look())
            except (BadLoss, Diverged) as error:
                standing = _stopped(standing, before, error)
                break
            sizes = self._sizes(standing.state, begun)
            records.append({"step": step, **taken.record, **seen.to_dict(), **sizes})
            standing = self._judged(standing, seen)
        return {"records": records, "checkpoint": standing.to_json()}, standing

    def start(self) -> Standing:
        """Before the first step."""
        return Standing(State.zero(sorted(self.spec.sites), self.context.model.d_model))

    @cached_property
    def deployed(self) -> Deployed:
        """The unsteered model at the positions where the vectors act."""
        after = map(Site, range(self.context.model.layers))
        sites = sorted({*self.spec.sites, *after})
        return deployed(
            self.examples, sites, self.asking.where, self.asking.max_tokens, self.context
        )

    @property
    def examples(self) -> Sequence[Item]:
        """Prompts to look at the unsteered model with."""
        shown = (
            Item(f"demonstration {place}", one.prompt, one.target)
            for place, one in enumerate(self.spec.demonstrations)
        )
        return tuple(shown) or self.material.problems

    def _looked(self, standing: Standing) -> tuple[Standing, Look]:
        look = self.looks.at(standing.state.vectors)
        score = look.selected
        if score is not None and (standing.best is None or score > standing.best.score):
            best = Best(standing.step, score, standing.state.vectors)
            standing = replace(standing, best=best)
        return standing, look

    def _judged(self, standing: Standing, look: Look) -> Standing:
        enough = self.spec.enough
        if enough is not None and look.selected is not None and look.selected >= enough:
            return replace(standing, ended=ENOUGH)
        if standing.idle < self.spec.patience:
            return standing
        if not standing.state.step:
            raise NoRewardVariance(standing.idle)
        return replace(standing, ended=NO_VARIANCE)

    def _steps(self, begun: Json) -> Steps:
        where, special = self.asking.where, self.material.text.special
        pairs = zip(self.material.retained, begun["retained"], strict=False)
        kept = [
            Row.of(self.material.asked(item), tuple(ids), where, special) for item, ids in pairs
        ]
        return Steps(self.spec, self.context, self.material, self.asking, kept, self._room)

    def _retained(self) -> Sequence[Any]:
        """What the unsteered model says of what is to be retained."""
        return self.asking.greedy(self.material.retained, {}) if self.spec.retain else ()

    def _sizes(self, state: State, begun: Json) -> dict[str, float]:
        found = {}
        for at, norm in state.norms().items():
            found[f"norm.{at}"] = norm
            if residual := begun["norms"].get(str(at)):
                found[f"relative.{at}"] = norm / residual
        return found

    @cached_property
    def _room(self) -> int:
        return self.context.borrow(room)


def _stopped(standing: Standing, before: Standing, error: BadLoss | Diverged) -> Standing:
    """After a number that is not finite: what was selected is kept, else the last checkpoint."""
    if standing.best is not None:
        return replace(standing, ended=NOT_FINITE)
    if not before.step:
        raise error
    return replace(before, ended=NOT_FINITE)


def vectors_of(standing: Standing) -> Vectors:
    """What a run leaves. Raises FailedPrecondition when it is nothing, and NoRewardVariance when
    that is why."""
    vectors = standing.kept.vectors
    if not standing.state.step and standing.idle:
        raise NoRewardVariance(standing.idle)
    if not any(vector.any() for vector in vectors.values()):
        raise FailedPrecondition("no step has changed the vectors", reason="NOTHING_LEARNT")
    return vectors
