"""The tasks that need no file, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from steer.errors import NotFound
from steer.tasks import a1, a2, dataalchemy, facts, gym
from steer.tasks.task import Task

TASKS: Mapping[str, Callable[[], Task]] = {
    "a1": a1.task,
    "a2": a2.task,
    "facts": facts.task,
    "dataalchemy": dataalchemy.task,
}


def load_task(name: str) -> Task:
    """A task of ``TASKS``, or ``gym/GENERATOR`` of reasoning-gym with its own settings.

    Raises NotFound, naming those there are, and as ``load_gym``.
    """
    if name.startswith(gym.PREFIX):
        return _generated(name.removeprefix(gym.PREFIX))
    if name not in TASKS:
        known = ", ".join((*TASKS, f"{gym.PREFIX}GENERATOR"))
        raise NotFound(f"no task {name!r}; there are {known}", reason="TASK_NOT_FOUND")
    return TASKS[name]()


@lru_cache(maxsize=8)
def _generated(generator: str) -> Task:
    """A run asks for its task several times, and problems take a while to make."""
    return gym.load_gym(generator)
