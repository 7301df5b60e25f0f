"""Arms whose completions are branches, chosen by a rule: CoT-decoding and its controls.

A problem of which no branch has an answer is left to greedy decoding, and counted as such.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from steer.measure.records import MeasuredArm, Role
from steer.runs.evaluate.entries import Entry
from steer.runs.evaluate.rows import Graded, Row
from steer.runs.kind import Answer
from steer.specs import EvaluateSpec
from steer.tasks.task import Item, Task
from steer.types import BASELINE, Arm, Branches, Choices, Trial

RULES = tuple(field.name for field in fields(Choices))
GREEDY = 0
"""The branch that greedy decoding is."""
_COUNTS = ("problems", "branches", "answered", "left_to_greedy")


def branched_entries(steered: Iterable[Entry]) -> Iterator[Entry]:
    """An entry for each rule, of the baseline and of every steered arm."""
    for arm in (Arm(BASELINE), *(entry.arm for entry in steered)):
        of = "" if arm.name == BASELINE else arm.name
        for rule in RULES:
            yield Entry(MeasuredArm(_name(arm.name, rule), Role.BRANCHED, of=of), arm)


def branched(spec: EvaluateSpec, trial: Trial) -> Trial:
    """The trial branched."""
    return replace(
        trial,
        samples=1,
        sampling=replace(trial.sampling, temperature=0.0),
        measure=False,
        branching=spec.branching,
    )


def chosen(item: Item, task: Task, answer: Answer) -> Iterator[Graded]:
    """The completion that each rule chooses of each arm."""
    rows = {(chunk.arm, chunk.sample): (chunk, finished) for chunk, finished in answer.rows}
    for branches in answer.branches:
        for rule in RULES:
            rank = getattr(branches.choices, rule)
            chunk, finished = rows[branches.arm, GREEDY if rank is None else rank]
            name = _name(branches.arm, rule)
            row = Row(
                replace(chunk, arm=name, sample=0), replace(finished, arm=name, sample=0), None
            )
            yield Graded(item, row, task.grade(item, chunk.text))


def counted(answers: Iterable[Answer]) -> dict[str, dict[str, int]]:
    """By arm: problems, branches, branches with an answer, and problems without any."""
    found: dict[str, Counter[str]] = {}
    for answer in answers:
        for branches in answer.branches:
            found.setdefault(branches.arm, Counter()).update(_counts(branches))
    return {arm: {name: of[name] for name in _COUNTS} for arm, of in found.items()}


def summed(spec: EvaluateSpec, counts: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, Any]:
    """What the report says of the branching, from what ``counted`` gave of each unit."""
    arms: dict[str, Counter[str]] = {}
    for one in counts:
        for arm, of in one.items():
            arms.setdefault(arm, Counter()).update(of)
    assert spec.branching is not None
    return {**asdict(spec.branching), "arms": {arm: dict(of) for arm, of in arms.items()}}


def _counts(branches: Branches) -> dict[str, int]:
    answered = sum(one.answer is not None for one in branches.branches)
    numbers = (1, len(branches.branches), answered, int(not answered))
    return dict(zip(_COUNTS, numbers, strict=True))


def _name(arm: str, rule: str) -> str:
    return f"{arm}/{rule}"
