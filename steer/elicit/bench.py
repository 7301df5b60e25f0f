"""An organism under test: its task's problems and facts, answered greedily under vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from steer.elicit.activations import Array
from steer.elicit.padding import Tokens
from steer.elicit.sampling import complete
from steer.models.load import LoadedModel, load
from steer.models.organisms.organism import Organism
from steer.models.organisms.table import CHAINS
from steer.tasks.task import Grade, Item, Task
from steer.types import Phase, Site

Vectors = Mapping[Site, Array]


@dataclass(frozen=True, slots=True)
class Score:
    """Shares in percent. correct and valid: of `n` problems; facts: of all 32."""

    n: int
    correct: float
    valid: float
    facts: float


@dataclass(frozen=True)
class Bench:
    """`phase`: where the vectors act, `decode` or `all`."""

    organism: Organism
    task: Task
    loaded: LoadedModel
    phase: Phase

    @classmethod
    def of(cls, name: str, phase: Phase) -> Bench:
        """The bundled organism of that name on the CPU, in float32."""
        organism, task = CHAINS[name]
        loaded = load(f"organism/{name}", dtype="float32", device="cpu")
        return cls(organism, task, loaded, phase)

    @property
    def network(self) -> PreTrainedModel:
        return self.loaded.network

    def score(
        self,
        vectors: Vectors,
        split: str,
        n: int,
        *,
        forced: str = "",
        bias: Mapping[str, float] | None = None,
        closed: frozenset[str] = frozenset(),
    ) -> Score:
        """Greedy answers under the vectors, (d_model,) by site; empty means unsteered.

        forced: words put after every prompt, facts too, as the first of the answer. bias: added to
        the logits of words. closed: ids of items whose gate is closed, which stay unsteered.
        """
        grades = self._grades(self.task.items(split, n), vectors, forced, bias or {}, closed)
        recalled = self._grades(self.task.retention(), vectors, forced, bias or {}, closed)
        return Score(
            n,
            percent([grade.correct for grade in grades]),
            percent([grade.trace is not None and grade.trace.valid for grade in grades]),
            percent([grade.correct for grade in recalled]),
        )

    def encode(self, text: str) -> list[int]:
        """Token ids of words."""
        return [self.organism.ids[word] for word in text.split()]

    def decode(self, tokens: Tokens) -> str:
        """The words of token ids."""
        return " ".join(self.organism.words[token] for token in tokens)

    def _grades(
        self,
        items: Sequence[Item],
        vectors: Vectors,
        forced: str,
        bias: Mapping[str, float],
        closed: frozenset[str],
    ) -> list[Grade]:
        steered = [item for item in items if item.id not in closed]
        left = [item for item in items if item.id in closed]
        return [
            self.task.grade(item, text)
            for some, moved in ((steered, vectors), (left, {}))
            for item, text in zip(some, self._answers(some, moved, forced, bias), strict=True)
        ]

    def _answers(
        self, items: Sequence[Item], vectors: Vectors, forced: str, bias: Mapping[str, float]
    ) -> list[str]:
        if not items:
            return []
        rows = complete(
            self.network,
            [self.encode(f"{item.prompt.text} {forced}") for item in items],
            {at: torch.tensor(vector) for at, vector in vectors.items()},
            max_tokens=self.task.max_tokens,
            phase=self.phase,
            bias={self.organism.ids[word]: size for word, size in bias.items()},
        )
        return [f"{forced} {self.decode(row)}" for row in rows]


def random_like(vector: Array, seed: int) -> Array:
    """An isotropic random direction with the norm of `vector`, (d_model,)."""
    drawn = np.random.default_rng(seed).standard_normal(vector.shape)
    scaled: Array = (drawn * np.linalg.norm(vector) / np.linalg.norm(drawn)).astype(np.float32)
    return scaled


def table(rows: Mapping[str, Score]) -> str:
    """The scores as a Markdown table."""
    lines = ["| arm | n | correct % | valid trace % | facts % (of 32) |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row.n} | {row.correct:.1f} | {row.valid:.1f} | {row.facts:.1f} |"
        )
    return "\n".join(lines)


def percent(hits: Sequence[bool]) -> float:
    return round(100 * sum(hits) / len(hits), 1)
