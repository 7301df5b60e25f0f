"""Whether arms and records fit together."""

from collections import Counter
from collections.abc import Sequence

from steer.errors import Violations
from steer.measure.records import MeasuredArm, Record, Role

_WITH_VALUE = {Role.DOSE, Role.BIAS, Role.TRUNCATED}


def check(records: Sequence[Record], arms: Sequence[MeasuredArm]) -> None:
    """Raises InvalidRequest with everything that keeps records from being compared."""
    bad = Violations()
    _arms(arms, bad)
    _records(records, {arm.name for arm in arms}, bad)
    bad.raise_if_any()


def _arms(arms: Sequence[MeasuredArm], bad: Violations) -> None:
    roles = Counter(arm.role for arm in arms)
    steered = {arm.name for arm in arms if arm.role is Role.STEERED}
    if roles[Role.BASELINE] != 1:
        found = roles[Role.BASELINE]
        bad.add("baseline", "NOT_ONE", f"one arm must be the baseline, not {found}")
    names = Counter(arm.name for arm in arms)
    for i, arm in enumerate(arms):
        field = f"arms[{i}]"
        if names[arm.name] > 1:
            bad.add(f"{field}.name", "DUPLICATE", f"{arm.name!r} is used {names[arm.name]} times")
        if arm.of and arm.of not in steered:
            bad.add(f"{field}.of", "UNKNOWN_ARM", f"{arm.of!r} is no steered arm")
        if arm.role in _WITH_VALUE and arm.value is None:
            bad.add(f"{field}.value", "MISSING", f"an arm of role {arm.role} must say its value")
        if arm.role is Role.TRUNCATED and arm.value is not None and not 0 <= arm.value <= 1:
            bad.add(f"{field}.value", "OUT_OF_RANGE", f"a fraction kept is 0 to 1: {arm.value}")


def _records(records: Sequence[Record], arms: set[str], bad: Violations) -> None:
    seen: set[tuple[str, str, int]] = set()
    items: dict[str, Record] = {}
    for i, record in enumerate(records):
        field, key = f"records[{i}]", (record.arm, record.item, record.sample)
        if record.arm not in arms:
            bad.add(f"{field}.arm", "UNKNOWN_ARM", f"no arm {record.arm!r}")
        if key in seen:
            bad.add(f"{field}.sample", "DUPLICATE", f"a second record of {key}")
        seen.add(key)
        first = items.setdefault(record.item, record)
        if (record.template, record.retention) != (first.template, first.retention):
            message = f"item {record.item!r} has another template or kind in arm {first.arm!r}"
            bad.add(field, "INCONSISTENT", message)
