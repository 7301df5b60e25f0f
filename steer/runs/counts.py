"""How many problems a run takes where nobody said: what the task has, up to the default."""

from dataclasses import fields, replace
from typing import Any

from steer.errors import SteerError
from steer.runs.tasks import load
from steer.runs.train.material import TRAIN
from steer.specs import EvaluateSpec, RunSpec, SweepSpec, TrainSpec, UpTo
from steer.tasks.task import REPORT, SELECT, Task

CHOOSING = 4
"""A split that is trained and chosen on gives the choice one part in so many."""


def counted(spec: RunSpec) -> RunSpec:
    """The spec with every default count as the number it is of this task, so that the run stays
    what it was. Where the task can not be read it is the same spec, and a check tells why."""
    work: Any = spec.work
    if not any(isinstance(getattr(work, one.name), UpTo) for one in fields(work)):
        return spec
    try:
        task = None if work.task is None else load(work.task)
        counts = {} if task is None else _counts(work, task)
    except SteerError:
        return spec
    return replace(spec, work=replace(work, **counts))


def _counts(work: Any, task: Task) -> dict[str, int]:
    match work:
        case EvaluateSpec():
            return {"n": _of(work.n, task.most(work.split))}
        case SweepSpec():
            return {
                "select_n": _of(work.select_n, task.most(SELECT)),
                "report_n": _of(work.report_n, task.most(REPORT)),
            }
        case TrainSpec():
            return _trained(work, task)
    return {}


def _trained(work: TrainSpec, task: Task) -> dict[str, int]:
    held = task.most(SELECT)
    if work.demonstrations:
        return {"select_n": _of(work.select_n, held)}
    if TRAIN in task.splits:
        return {
            "select_n": _of(work.select_n, held),
            "train_n": _of(work.train_n, task.most(TRAIN)),
        }
    select_n = _of(work.select_n, held // CHOOSING)
    return {"select_n": select_n, "train_n": _of(work.train_n, held - select_n)}


def _of(count: int, most: int) -> int:
    """Where there is none at all the default stays, for a check to refuse."""
    return int(min(count, most) if isinstance(count, UpTo) and most > 0 else count)
