"""Everything a summary is made of: the arms, their records as tables, how to resample."""

from collections.abc import Sequence
from dataclasses import dataclass

from steer.measure.bootstrap import Floats
from steer.measure.paired import Difference, differences
from steer.measure.rates import Rate, rate
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.table import Table, Value


def correct(record: Record) -> float:
    """Whether the answer is right."""
    return float(record.correct)


def begins(record: Record) -> float | None:
    """Whether a trace was begun, or is all there where nobody can tell a beginning."""
    return record.trace_complete if record.thinks is None else record.thinks


def right_by_steps(record: Record) -> float | None:
    """The share of right steps behind a right answer, 0 behind a wrong one."""
    steps = record.trace_right
    return None if steps is None else steps * record.correct


def right_by_valid_trace(record: Record) -> float | None:
    """Whether the answer is right, and a valid trace leads to it."""
    valid = record.trace_valid
    return None if valid is None else float(valid and record.correct)


@dataclass(frozen=True, slots=True)
class Study:
    """``arms``: those with records, in the order given. ``choices``: how many answers there are to
    guess among, None when that is not known."""

    arms: tuple[MeasuredArm, ...]
    problems: Table
    retention: Table
    choices: int | None
    seed: int
    draws: int

    @property
    def baseline(self) -> MeasuredArm | None:
        """The baseline, once it has records."""
        return next((arm for arm in self.arms if arm.role is Role.BASELINE), None)

    def base_of(self, arm: MeasuredArm) -> MeasuredArm | None:
        """What an arm is compared with: the baseline, or that of the arm's own model; None for
        what is a baseline itself, or has none."""
        if arm.role in (Role.BASELINE, Role.UNTAUGHT_BASELINE):
            return None
        own = (other for other in self.arms if other.role is Role.UNTAUGHT_BASELINE)
        return next(own, self.baseline) if arm.role is Role.UNTAUGHT else self.baseline

    def controls(self, of: str, *roles: Role) -> tuple[MeasuredArm, ...]:
        """The arms of these roles that control the steered arm ``of``."""
        return tuple(arm for arm in self.arms if arm.role in roles and arm.of in ("", of))

    def gains(self, arms: Sequence[MeasuredArm], value: Value = correct) -> Floats:
        """Mean ``value`` of each item under each arm, minus that of its ``base_of``: (items, arms).

        NaN where either is missing, so everywhere without a baseline.
        """
        means = self.problems.means([arm.name for arm in arms], value)
        bases = [base.name if (base := self.base_of(arm)) else "" for arm in arms]
        return means - self.problems.means(bases, value)

    def against(
        self, arms: Sequence[MeasuredArm], base: MeasuredArm, value: Value, table: Table
    ) -> list[Difference | None]:
        """Each arm against ``base`` in ``table``."""
        means = table.means([arm.name for arm in arms], value)
        other = table.mean(base.name, value)
        return differences(means, other, table.clusters, seed=self.seed, draws=self.draws)


def rate_of(table: Table, arm: str, value: Value) -> Rate | None:
    """The rate of ``value`` in one arm, over the records that have it; None when none has."""
    trials = sum(value(record) is not None for record in table.records.get(arm, ()))
    return rate(table.mean(arm, value), table.clusters, trials) if trials else None
