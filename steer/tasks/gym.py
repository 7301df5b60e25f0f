"""Generators of reasoning-gym as tasks, graded by their own scorers. Extra ``reasoning``.

The library makes problems without end; a task is a fixed number of them, dealt into splits by their
content as the items of a file are. Source: Stojanovski et al., arXiv 2505.24760.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.tasks.pool import Pool, Pooled, content
from steer.tasks.task import Cues, Grade, Item
from steer.types import Prompt

PREFIX = "gym/"
"""Before the name of a generator, in the name of its task."""
SIZE = 1200
"""Problems: so many that each split has the 500 of a standard evaluation."""
_RUN = re.compile(r"(?<!literal_)\b(?:eval|exec|parse_expr)\(answer")
"""How a scorer looks that takes an answer for a program; ``parse_expr`` is SymPy's, which does."""


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
        return Grade(answer, answer is not None and self._score(answer, item) >= 1)

    def _score(self, answer: str, item: Item) -> float:
        try:
            return float(self.dataset.score_answer(answer, self.entries[item.id]))
        except Exception:  # Scorers expect answers of their own form, and fall over others.
            return 0.0


def load_gym(
    generator: str, *, size: int = SIZE, seed: int = 0, max_tokens: int = 512, **config: object
) -> GymTask:
    """``size`` problems of a generator, without repeated ones; the same for the same arguments.

    config: the generator's own settings.
    Raises FailedPrecondition without the library, and for a generator whose scorer runs answers as
    Python; NotFound for an unknown generator, InvalidRequest for settings that it refuses.
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
    if _RUN.search(inspect.getsource(DATASETS[generator][0])):
        message = f"reasoning-gym {generator}: its scorer runs what a model writes as Python"
        raise FailedPrecondition(message, reason="RUNS_ANSWERS")
    if size < 1:
        raise InvalidRequest(f"size: is {size}, want 1 or more")
    try:
        dataset = reasoning_gym.create_dataset(generator, size=size, seed=seed, **config)
    except (TypeError, ValueError, AssertionError) as error:
        raise InvalidRequest(f"reasoning-gym {generator}: {error}") from error
    entries = {content(_item(entry)): entry for entry in dataset}
    pool = Pool.of(f"{PREFIX}{generator}", map(_item, entries.values()))
    return GymTask(pool.name, f"reasoning-gym: {generator}", pool, dataset, entries, max_tokens)


def _item(entry: Mapping[str, Any]) -> Item:
    asked = str(entry["question"])
    return Item(asked.strip(), Prompt(text=asked), str(entry["answer"]))
