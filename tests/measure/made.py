"""Records of made-up evaluations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from steer.measure.records import MeasuredArm, Record, Role


@dataclass(frozen=True)
class Made:
    """An arm that is right with probability ``accuracy``, on items of its own choice.

    ``begun``, ``valid``: P(a trace is begun), P(the trace is valid | begun and right); ``steps``:
    the share of right steps in a trace with a right answer that is not valid. ``retention``: P(a
    fact is kept).
    """

    role: Role
    accuracy: float
    begun: float = 0.0
    valid: float = 0.0
    steps: float = 0.0
    retention: float = 1.0
    value: float | None = None
    of: str = ""
    name: str = ""

    @property
    def arm(self) -> MeasuredArm:
        """As the summary takes it."""
        return MeasuredArm(self.name or str(self.role), self.role, self.value, None, self.of)


_PLAIN = Record(
    arm="",
    item="",
    sample=0,
    template="",
    retention=False,
    correct=False,
    answer=None,
    trace_complete=None,
    trace_valid=None,
    trace_right=None,
    trace_follows=None,
    tokens=8,
    finish="stop",
    distinct2=1.0,
    thinks=None,
    mean_kl=0.5,
    first_kl=1.0,
    baseline_nats=0.7,
    touched=10,
    mean_change=0.2,
)


def record(arm: str, item: str, right: bool, **fields: Any) -> Record:
    """A record with nothing remarkable in it but ``fields``."""
    answer = "right" if right else "wrong"
    return replace(
        _PLAIN, **{"arm": arm, "item": item, "correct": right, "answer": answer} | fields
    )


def records(arms: Sequence[Made], items: int = 500, facts: int = 32, seed: int = 0) -> list[Record]:
    """One record for each arm and item, with traces checked."""
    random, found = np.random.default_rng(seed), []
    for made in arms:
        right, begun, valid, kept = (
            (random.random(n) < p).tolist()
            for n, p in (
                (items, made.accuracy),
                (items, made.begun),
                (items, made.valid),
                (facts, made.retention),
            )
        )
        for i in range(items):
            checked = begun[i] and right[i] and valid[i]
            found.append(
                record(
                    made.arm.name,
                    f"p{i}",
                    right[i],
                    thinks=begun[i],
                    trace_complete=begun[i],
                    trace_valid=checked,
                    trace_right=1.0 if checked else made.steps * (begun[i] and right[i]),
                    trace_follows=right[i] if begun[i] else None,
                )
            )
        found += [record(made.arm.name, f"f{i}", kept[i], retention=True) for i in range(facts)]
    return found


def standard(steered: Made, **others: float) -> list[Made]:
    """A baseline at 10 %, the steered arm, and all standard controls; ``others``: the accuracy of
    controls, by role, that do not guess as the baseline does."""

    def at(role: Role) -> float:
        return others.get(role, 0.1)

    thinking = (Role.FORCED, Role.SWAPPED, Role.CORRUPTED)
    plain = (Role.FILLER, Role.ANSWER_ONLY, Role.NEGATED)
    return [
        Made(Role.BASELINE, 0.1),
        steered,
        Made(Role.CEILING, 1, begun=1, valid=1),
        *(Made(Role.RANDOM, at(Role.RANDOM), value=i, name=f"random-{i}") for i in range(20)),
        *(Made(Role.BIAS, at(Role.BIAS), value=i, name=f"bias-{i}") for i in range(6)),
        *(Made(role, at(role), begun=1) for role in thinking),
        *(Made(role, at(role)) for role in plain),
    ]


def thinking(accuracy: float, valid: float = 0.98, **fields: Any) -> Made:
    """A steered arm that always begins a trace."""
    return Made(Role.STEERED, accuracy, begun=1, valid=valid, **fields)
