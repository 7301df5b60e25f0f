"""What the verdict on a steered arm rests on, beyond the arm's own numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steer.measure.causal import CausalUse, causal_use
from steer.measure.nulls import SEEDED, Nulls, nulls
from steer.measure.paired import Difference
from steer.measure.power import Power, power_of_error
from steer.measure.rates import Rate
from steer.measure.records import MeasuredArm, Role
from steer.measure.recovery import Share, shares
from steer.measure.statistics import LEVEL
from steer.measure.study import (
    Study,
    begins,
    correct,
    rate_of,
    right_by_steps,
    right_by_valid_trace,
)
from steer.measure.thresholds import MARGIN

# What could bring about a gain instead. The intervals of one group's shares hold together, at 95 %:
# whether *some* bias explains a gain is asked of all sizes at once.
TOKENS = (Role.FORCED, Role.BIAS)
CONTENT = (Role.SWAPPED, Role.CORRUPTED, Role.FILLER, Role.ANSWER_ONLY)
TRAINING = (Role.SWAPPED_TARGET, Role.UNTAUGHT)
_GROUPS = (TOKENS, CONTENT, TRAINING)
# These are shown with a share and decide nothing together.
_SINGLE = (Role.NEGATED, Role.ORTHOGONAL, Role.PROMPT_CUE, Role.CEILING, Role.TRUNCATED)


@dataclass(frozen=True, slots=True)
class ControlShare:
    """The share of the steered arm's gain that a control brings back."""

    arm: str
    role: Role
    share: Share


@dataclass(frozen=True, slots=True)
class Dose:
    """The vector at one strength; its whole numbers are those of ``arm``."""

    arm: str
    strength: float
    accuracy: Rate
    begun: Rate | None


@dataclass(frozen=True, slots=True)
class Effect:
    """One steered arm against its controls.

    ``begun``: how much oftener traces are begun than in the baseline. ``steps``: the share of the
    gain that comes with right steps, each right answer counting with the share of its steps that
    are right; ``valid``: the share that comes with whole valid traces; both None where the task has
    no checker. ``controls``: shares of the gain of all controls that are not seeds of a null,
    ``nulls``: those that are. ``power``: to show a difference of MARGIN.
    """

    arm: str
    begun: Difference | None
    steps: Share | None
    valid: Share | None
    controls: tuple[ControlShare, ...]
    nulls: tuple[Nulls, ...]
    causal: CausalUse
    doses: tuple[Dose, ...]
    power: Power | None

    def null(self, role: Role) -> Nulls | None:
        """The nulls of one kind."""
        return next((one for one in self.nulls if one.role is role), None)


def effect(study: Study, steered: MeasuredArm, gain: Difference) -> Effect:
    """Of a steered arm whose accuracy is ``gain`` above the baseline's."""
    baseline = study.baseline
    assert baseline is not None  # there is a gain over it
    (begun,) = study.against([steered], baseline, begins, study.problems)
    steps, valid, controls = _shares(study, steered)
    found = (nulls(study, steered, role) for role in SEEDED)
    return Effect(
        steered.name,
        begun,
        steps,
        valid,
        controls,
        tuple(one for one in found if one),
        causal_use(study, steered),
        _doses(study, steered),
        None if gain.se is None else power_of_error(gain.n, MARGIN, _error(gain.se, gain.n)),
    )


def _shares(
    study: Study, steered: MeasuredArm
) -> tuple[Share | None, Share | None, tuple[ControlShare, ...]]:
    """The shares that come with right steps and with valid traces, and those of all controls."""
    arms = [arm for group in (*_GROUPS, _SINGLE) for arm in study.controls(steered.name, *group)]
    own = [study.gains([steered], value) for value in (right_by_steps, right_by_valid_trace)]
    steps, valid, *found = shares(
        np.hstack([*own, study.gains(arms)]),
        study.gains([steered])[:, 0],
        study.problems.clusters,
        levels=[LEVEL, LEVEL, *(_level(arm, arms) for arm in arms)],
        seed=study.seed,
        draws=study.draws,
        name="steered arm",
    )
    checked = any(one.trace_right is not None for one in study.problems.records[steered.name])
    named = zip(arms, found, strict=True)
    return (
        steps if checked else None,
        valid if checked else None,
        tuple(ControlShare(arm.name, arm.role, share) for arm, share in named),
    )


def _level(arm: MeasuredArm, arms: Sequence[MeasuredArm]) -> float:
    """Bonferroni's, over the arms of the same group."""
    group = next((roles for roles in _GROUPS if arm.role in roles), None)
    return 1 - (1 - LEVEL) / (sum(other.role in group for other in arms) if group else 1)


def _doses(study: Study, steered: MeasuredArm) -> tuple[Dose, ...]:
    """By strength, with the steered arm's own where it says it."""
    arms = [*study.controls(steered.name, Role.DOSE), steered]
    found = [
        Dose(arm.name, arm.value, accuracy, rate_of(study.problems, arm.name, begins))
        for arm in arms
        if arm.value is not None and (accuracy := rate_of(study.problems, arm.name, correct))
    ]
    return tuple(sorted(found, key=lambda one: one.strength))


def _error(se: float, n: int) -> float:
    """With two made-up differences, +1 and -1, so that equal arms have an error too."""
    return math.hypot(se, math.sqrt(2) / n)
