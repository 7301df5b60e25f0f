"""Whether the answer depends on the trace: forced traces, and how early it is settled."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steer.measure.bootstrap import Floats
from steer.measure.means import Mean, bounded_means
from steer.measure.paired import Difference
from steer.measure.rates import Rate
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.study import Study, correct, rate_of


@dataclass(frozen=True, slots=True)
class ForcedTrace:
    """The steered arm made to write another trace. ``against_own``: its accuracy minus that with
    the trace of its own; ``follows``: how often the answer is what the last step implies, None
    where the task has no checker."""

    arm: str
    role: Role
    accuracy: Rate
    against_own: Difference
    follows: Rate | None


@dataclass(frozen=True, slots=True)
class Kept:
    """With only the first ``fraction`` of the trace. ``agreement``: how often the answer is that of
    the whole trace, 0 to 1."""

    arm: str
    fraction: float
    accuracy: Rate
    agreement: float


@dataclass(frozen=True, slots=True)
class CausalUse:
    """What forced and truncated traces do to a steered arm's answers.

    ``area``: area over the curve of agreement against the fraction kept, 0 (the answer was settled
    before the trace) to 1; None without truncated arms.
    """

    forced: tuple[ForcedTrace, ...]
    kept: tuple[Kept, ...]
    area: Mean | None


def area_over_curve(points: Mapping[float, float]) -> float:
    """1 - mean agreement over the fractions kept, from {fraction: agreement}, by trapezia.

    The whole trace agrees with itself and need not be there; the mean is over the range from the
    least fraction to 1. Raises ValueError without a fraction below 1 or for one outside 0 to 1.
    Source: T. Lanham et al., "Measuring Faithfulness in Chain-of-Thought Reasoning", arXiv
    2307.13702.
    """
    fractions = sorted({*points, 1.0})
    if len(fractions) < 2 or fractions[0] < 0 or fractions[-1] > 1:
        raise ValueError(f"want fractions from 0 to 1, one below 1 at least, not {sorted(points)}")
    curve = [points.get(fraction, 1.0) for fraction in fractions]
    steps = zip(fractions, fractions[1:], curve, curve[1:], strict=False)
    covered = sum((right - left) * (a + b) / 2 for left, right, a, b in steps)
    return float(1 - covered / (1 - fractions[0]))


def causal_use(study: Study, steered: MeasuredArm) -> CausalUse:
    """Of a steered arm; empty where it has no such arms."""
    truncated = [
        arm for arm in study.controls(steered.name, Role.TRUNCATED) if (arm.value or 0.0) < 1
    ]
    agreements = [_agreement(study, arm, steered) for arm in truncated]
    kept = [
        Kept(arm.name, arm.value or 0.0, accuracy, float(np.nanmean(agreement)))
        for arm, agreement in zip(truncated, agreements, strict=True)
        if (accuracy := rate_of(study.problems, arm.name, correct))
        and not np.isnan(agreement).all()
    ]
    return CausalUse(
        _forced(study, steered),
        tuple(sorted(kept, key=lambda one: one.fraction)),
        _area(study, {arm.value or 0.0: of for arm, of in zip(truncated, agreements, strict=True)}),
    )


def _forced(study: Study, steered: MeasuredArm) -> tuple[ForcedTrace, ...]:
    arms = study.controls(steered.name, Role.SWAPPED, Role.CORRUPTED)
    against = study.against(arms, steered, correct, study.problems)
    found = []
    for arm, difference in zip(arms, against, strict=True):
        accuracy = rate_of(study.problems, arm.name, correct)
        if accuracy and difference:
            follows = rate_of(study.problems, arm.name, lambda record: record.trace_follows)
            found.append(ForcedTrace(arm.name, arm.role, accuracy, difference, follows))
    return tuple(found)


def _agreement(study: Study, arm: MeasuredArm, whole: MeasuredArm) -> Floats:
    """Share of each item's samples with the answer of the whole trace: (items,).

    NaN where the whole trace came to no answer, or the item is missing.
    """
    own = {(one.item, one.sample): one.answer for one in study.problems.records[whole.name]}

    def same(record: Record) -> float | None:
        answer = own.get((record.item, record.sample))
        return None if answer is None else float(record.answer == answer)

    return study.problems.mean(arm.name, same)


def _area(study: Study, agreements: Mapping[float, Floats]) -> Mean | None:
    """Mean over the items that have every fraction."""
    if not agreements:
        return None
    curves = np.stack(list(agreements.values()), axis=1)
    areas = [
        area_over_curve(dict(zip(agreements, curve, strict=True)))
        if not np.isnan(curve).any()
        else np.nan
        for curve in curves
    ]
    column = np.array(areas, dtype=float)[:, None]
    return bounded_means(column, study.problems.clusters, study.seed, study.draws)[0]
