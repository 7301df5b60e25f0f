"""Everything about one arm."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steer.measure.drift import Drift, drift
from steer.measure.modes import Modes, modes
from steer.measure.paired import Difference
from steer.measure.passk import Coverage, PassAtK, coverage, pass_curves
from steer.measure.rates import Rate
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.recovery import Share, shares
from steer.measure.student import Spread, spread
from steer.measure.study import Study, correct, rate_of
from steer.measure.table import Table
from steer.measure.texts import Texts, texts
from steer.measure.traces import Traces, traces


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One arm. What compares with the baseline is None for the baseline, and without one.

    ``items`` and ``samples`` (completions): of the items that are no retention items. ``answered``:
    the share of the completions with an answer that could be read, 0 to 1. ``recovery``:
    of the gap between baseline and ceiling. ``by_sample``: accuracies of the samples of the same
    number, a level of its own; None for one sample. ``retention``: of the retention items.
    """

    arm: MeasuredArm
    items: int
    samples: int
    answered: float
    accuracy: Rate
    against_baseline: Difference | None
    recovery: Share | None
    modes: Modes | None
    passes: tuple[PassAtK, ...]
    coverage: Coverage | None
    by_sample: Spread | None
    traces: Traces
    texts: Texts
    drift: Drift
    retention: Rate | None
    retention_against_baseline: Difference | None


def arm_summaries(study: Study) -> list[ArmSummary]:
    """Of every arm with records, in order; p values are not corrected yet."""
    against, kept = (_against(study, of) for of in (study.problems, study.retention))
    recovered, passes = _recovered(study), _passes(study)
    return [
        _summary(
            study,
            arm,
            against.get(arm.name),
            recovered.get(arm.name),
            passes[arm.name],
            kept.get(arm.name),
        )
        for arm in study.arms
    ]


def _summary(
    study: Study,
    arm: MeasuredArm,
    against: Difference | None,
    recovery: Share | None,
    passes: tuple[PassAtK, ...],
    kept: Difference | None,
) -> ArmSummary:
    records = study.problems.records[arm.name]
    accuracy = rate_of(study.problems, arm.name, correct)
    assert accuracy is not None  # there are records
    return ArmSummary(
        arm=arm,
        items=accuracy.n,
        samples=len(records),
        answered=sum(one.answer is not None for one in records) / len(records),
        accuracy=accuracy,
        against_baseline=against,
        recovery=recovery,
        modes=_modes(study, arm),
        passes=passes,
        coverage=_coverage(study, arm),
        by_sample=_by_sample(records),
        traces=traces(study, arm.name),
        texts=texts(records),
        drift=drift(records),
        retention=rate_of(study.retention, arm.name, correct),
        retention_against_baseline=kept,
    )


def _against(study: Study, table: Table) -> dict[str, Difference]:
    found: dict[str, Difference] = {}
    for base in study.arms if table.items else ():
        others = [arm for arm in study.arms if study.base_of(arm) is base]
        if others:
            differences = study.against(others, base, correct, table)
            named = zip(others, differences, strict=True)
            found |= {arm.name: one for arm, one in named if one}
    return found


def _recovered(study: Study) -> dict[str, Share]:
    """The part of the gap between baseline and ceiling that each other arm closes."""
    ceiling = next((arm for arm in study.arms if arm.role is Role.CEILING), None)
    if ceiling is None or study.baseline is None:
        return {}
    others = [
        arm for arm in study.arms if arm is not ceiling and study.base_of(arm) is study.baseline
    ]
    found = shares(
        study.gains(others),
        study.gains([ceiling])[:, 0],
        study.problems.clusters,
        seed=study.seed,
        draws=study.draws,
    )
    return {arm.name: share for arm, share in zip(others, found, strict=True)}


def _passes(study: Study) -> dict[str, tuple[PassAtK, ...]]:
    if not study.arms:
        return {}
    table, names = study.problems, [arm.name for arm in study.arms]
    samples = np.stack([table.samples(name) for name in names], axis=1)
    right = np.nan_to_num(table.means(names, correct) * samples).round().astype(np.int64)
    curves = pass_curves(right, samples, table.clusters, study.choices, study.seed, study.draws)
    return dict(zip(names, curves, strict=True))


def _modes(study: Study, arm: MeasuredArm) -> Modes | None:
    base = study.base_of(arm)
    if base is None:
        return None
    before = {(one.item, one.sample): one.correct for one in study.problems.records[base.name]}
    return modes(
        (before[key], one.correct)
        for one in study.problems.records[arm.name]
        if (key := (one.item, one.sample)) in before
    )


def _coverage(study: Study, arm: MeasuredArm) -> Coverage | None:
    base = study.base_of(arm)
    if base is None:
        return None
    before, after = (study.problems.records[name] for name in (base.name, arm.name))
    common = {one.item for one in before} & {one.item for one in after}
    return coverage(_solved(before) & common, _solved(after) & common, len(common))


def _solved(records: Sequence[Record]) -> set[str]:
    return {record.item for record in records if record.correct}


def _by_sample(records: Sequence[Record]) -> Spread | None:
    rights: dict[int, list[bool]] = defaultdict(list)
    for record in records:
        rights[record.sample].append(record.correct)
    accuracies = [sum(of) / len(of) for of in rights.values()]
    return spread(accuracies) if len(accuracies) > 1 else None
