"""How often the rules call a null vector an effect: the instrument tried on nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from steer.measure.bootstrap import DRAWS
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.statistics import nulls_needed, wilson
from steer.measure.summary import summarise
from steer.measure.verdict import Verdict, verdicts


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of ``nulls`` vectors, each tried as the treatment against ``seeds`` of the others.

    ``positive``: those that could get a positive verdict, because accuracy rises and is beyond
    random vectors; other controls can only take it away again. ``low``, ``high``: 95 % Wilson
    interval of their share. ``verdicts``: on each, in the order of the arms.
    """

    nulls: int
    seeds: int
    positive: int
    low: float
    high: float
    verdicts: tuple[Verdict, ...]


def calibrate(
    records: Sequence[Record],
    arms: Sequence[MeasuredArm],
    *,
    seeds: int = 20,
    draws: int = DRAWS,
) -> Calibration:
    """From records of a baseline and of null vectors of one kind and norm, one arm each.

    Raises ValueError with fewer than ``seeds`` + 1 null vectors, or fewer seeds than a positive
    verdict takes.
    """
    baseline = next((arm for arm in arms if arm.role is Role.BASELINE), None)
    nulls = [arm.name for arm in arms if arm is not baseline]
    if baseline is None or not nulls_needed(1) <= seeds < len(nulls):
        raise ValueError(
            f"want a baseline, {nulls_needed(1)} seeds or more and one null vector more than seeds,"
            f" not {seeds} seeds and {len(nulls)} vectors"
        )
    of: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        of[record.arm].append(record)
    found: list[Verdict] = []
    for i, name in enumerate(nulls):
        others = [nulls[(i + step) % len(nulls)] for step in range(1, seeds + 1)]
        cast = [
            baseline,
            MeasuredArm(name, Role.STEERED),
            *(MeasuredArm(other, Role.RANDOM) for other in others),
        ]
        rows = [record for arm in cast for record in of[arm.name]]
        found += verdicts(summarise(rows, cast, draws=draws))
    positive = sum(map(_could_be_positive, found))
    return Calibration(len(nulls), seeds, positive, *wilson(positive, len(nulls)), tuple(found))


def _could_be_positive(verdict: Verdict) -> bool:
    holds = {finding.rule: finding.holds for finding in verdict.findings}
    return bool(holds["accuracy rises"] and holds["beyond random vectors"])
