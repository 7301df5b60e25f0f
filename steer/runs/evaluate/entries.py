"""The arms of an evaluation: what each is there for, and what it is for one item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from steer.measure.records import MeasuredArm, Role
from steer.tasks.task import Item, Task
from steer.types import BASELINE, Arm

CUE = "cue"
CAST = "cast"
"""The key of the unit whose result says what the arms are."""
MAIN = frozenset({Role.BASELINE, Role.STEERED, Role.DOSE, Role.CEILING, Role.PROMPT_CUE})
"""Roles whose rows are compared with the unsteered model, token for token."""
WRITTEN = frozenset({Role.SWAPPED, Role.CORRUPTED, Role.TRUNCATED, Role.FILLER})
"""Roles whose completions begin with a trace made from the subject's own: a second stage."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An arm with its role. ``arm``: as it is for every item. ``cued``: asked by the task's cue.
    ``cosines``: of a null, to the subject's direction at each site, signed by the strengths."""

    about: MeasuredArm
    arm: Arm
    cued: bool = False
    cosines: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The arm's name."""
        return self.about.name

    @property
    def main(self) -> bool:
        """Whether its rows are compared with the unsteered model."""
        return self.about.role in MAIN

    def arm_for(self, item: Item, task: Task) -> Arm | None:
        """The arm for an item; None where the task has no cue for it."""
        if not self.cued:
            return self.arm
        prompt = task.cued(item)
        return None if prompt is None else replace(self.arm, prompt=prompt)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        about = self.about
        return {
            "name": about.name,
            "role": about.role.value,
            "value": about.value,
            "cosine": about.cosine,
            "of": about.of,
            "cosines": dict(self.cosines),
        }


def about_of(entry: Mapping[str, Any]) -> MeasuredArm:
    """The measured arm that ``Entry.to_dict`` told of."""
    return MeasuredArm(
        entry["name"], Role(entry["role"]), entry["value"], entry["cosine"], entry["of"]
    )


@dataclass(frozen=True, slots=True)
class Cast:
    """All arms of an evaluation but the baseline; ``subject`` is the name of the one that claims
    are about, empty when there is none. ``omitted``: the standard controls that it has none of, and
    why; ``needed``: those of them that a claim needs all the same."""

    subject: str
    entries: tuple[Entry, ...]
    omitted: Mapping[Role, str] = field(default_factory=dict)
    needed: frozenset[Role] = frozenset()

    @property
    def steered(self) -> Entry | None:
        """The subject."""
        return next((entry for entry in self.entries if entry.name == self.subject), None)

    def chosen(self, roles: Iterable[Role]) -> list[Entry]:
        """Entries with one of these roles."""
        wanted = frozenset(roles)
        return [entry for entry in self.entries if entry.about.role in wanted]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, the baseline first."""
        baseline = Entry(MeasuredArm(BASELINE, Role.BASELINE), Arm(BASELINE))
        return {
            "subject": self.subject,
            "arms": [entry.to_dict() for entry in (baseline, *self.entries)],
            "omitted": {role.value: why for role, why in self.omitted.items()},
            "needed": sorted(role.value for role in self.needed),
        }
