"""The tasks that ship, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steer.errors import NotFound
from steer.tasks import a1, a2, dataalchemy, facts
from steer.tasks.task import Task

TASKS: Mapping[str, Callable[[], Task]] = {
    "a1": a1.task,
    "a2": a2.task,
    "facts": facts.task,
    "dataalchemy": dataalchemy.task,
}


def load_task(name: str) -> Task:
    """A task of ``TASKS``. Raises NotFound, naming those there are."""
    if name not in TASKS:
        raise NotFound(f"no task {name!r}; there are {', '.join(TASKS)}", reason="TASK_NOT_FOUND")
    return TASKS[name]()
