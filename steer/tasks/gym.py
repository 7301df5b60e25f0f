"""Generators of reasoning-gym as tasks, graded by their own scorers. Extra ``reasoning``.

The library makes problems without end; a task is a fixed number of them, dealt into splits by their
content as the items of a file are. Source: Stojanovski et al., arXiv 2505.24760.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.tasks.pool import Pool, Pooled, content
from steer.tasks.task import Cues, Grade, Item
from steer.types import Prompt


@dataclass(frozen=True)
class GymTask(Pooled):
    """Problems of one generator. An answer is what stands between the last ``<answer>`` and
    ``</answer>``, else the whole text; it is right when the generator scores it 1."""

    name: str
    description: str
    pool: Pool
    dataset: Any
    entries: Mapping[str, Mapping[str, Any]]
    max_tokens: int
    choices: int | None = None
    cues: Cues = field(default_factory=Cues)

    def grade(self, item: Item, text: str) -> Grade:
        from reasoning_gym.utils import extract_answer

        answer = extract_answer(text) or text.strip() or None
        score = self.dataset.score_answer(answer, self.entries[item.id]) if answer else 0.0
        return Grade(answer, score >= 1)


def load_gym(
    generator: str, *, size: int = 1000, seed: int = 0, max_tokens: int = 512, **config: object
) -> GymTask:
    """``size`` problems of a generator, without repeated ones; the same for the same arguments.

    config: the generator's own settings.
    Raises FailedPrecondition without the library, NotFound for an unknown generator, InvalidRequest
    for settings that it refuses.
    """
    try:
        import reasoning_gym
        from reasoning_gym.factory import DATASETS
    except ImportError:
        message = "reasoning-gym is not installed; install steer[reasoning]"
        raise FailedPrecondition(message, reason="EXTRA_MISSING") from None
    if generator not in DATASETS:
        known = ", ".join(sorted(DATASETS))
        raise NotFound(f"no generator {generator!r}; there are {known}", reason="TASK_NOT_FOUND")
    if size < 1:
        raise InvalidRequest(f"size: is {size}, want 1 or more")
    try:
        dataset = reasoning_gym.create_dataset(generator, size=size, seed=seed, **config)
    except (TypeError, ValueError, AssertionError) as error:
        raise InvalidRequest(f"reasoning-gym {generator}: {error}") from error
    entries = {content(_item(entry)): entry for entry in dataset}
    pool = Pool.of(f"gym/{generator}", map(_item, entries.values()))
    return GymTask(pool.name, f"reasoning-gym: {generator}", pool, dataset, entries, max_tokens)


def _item(entry: Mapping[str, Any]) -> Item:
    asked = str(entry["question"])
    return Item(asked.strip(), Prompt(text=asked), str(entry["answer"]))
