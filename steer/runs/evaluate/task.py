"""The task of a spec: a bundled one, or the caller's own."""

from steer.specs import EvaluateSpec, InlineTask
from steer.tasks.catalog import load_task
from steer.tasks.jsonl import parse_jsonl
from steer.tasks.task import Task


def task_of(spec: EvaluateSpec) -> Task:
    """The task of an evaluation. Raises as ``load``."""
    return load(spec.task)


def load(task: str | InlineTask) -> Task:
    """Raises NotFound for an unknown name, InvalidRequest for a task file that is wrong."""
    if isinstance(task, str):
        return load_task(task)
    return parse_jsonl(task.jsonl, task.name, how=task.extractor, pattern=task.pattern)
