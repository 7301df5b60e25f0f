"""The task of a spec: a bundled one, or the caller's own."""

from steer.specs import EvaluateSpec
from steer.tasks.catalog import load_task
from steer.tasks.jsonl import parse_jsonl
from steer.tasks.task import Task


def task_of(spec: EvaluateSpec) -> Task:
    """Raises NotFound for an unknown name, InvalidRequest for a task file that is wrong."""
    task = spec.task
    if isinstance(task, str):
        return load_task(task)
    return parse_jsonl(task.jsonl, task.name, how=task.extractor, pattern=task.pattern)
