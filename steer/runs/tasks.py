"""The task of a spec: a bundled one, or the caller's own."""

from steer.specs import InlineTask
from steer.tasks.catalog import load_task
from steer.tasks.jsonl import parse_jsonl
from steer.tasks.task import Task


def load(task: str | InlineTask) -> Task:
    """Raises NotFound for an unknown name, InvalidRequest for a task file that is wrong."""
    if isinstance(task, str):
        return load_task(task)
    return parse_jsonl(task.jsonl, task.name, how=task.extractor, pattern=task.pattern)


def task_field(task: str | InlineTask | None) -> str:
    """The field of a spec that has the task, or should have it."""
    return "inline_task" if isinstance(task, InlineTask) else "task_name"
