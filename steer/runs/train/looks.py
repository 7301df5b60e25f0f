"""How good vectors are on problems kept apart, and what of the rest is left."""

from collections.abc import Sequence
from dataclasses import dataclass

from steer.elicit.state import Vectors
from steer.runs.train.asking import Asking
from steer.runs.train.material import Material
from steer.tasks.task import Item


@dataclass(frozen=True, slots=True)
class Look:
    """Shares of right greedy answers, 0 to 1; None where nothing was asked."""

    selected: float | None = None
    retained: float | None = None

    def to_dict(self) -> dict[str, float]:
        """What is known."""
        shares = {"selected": self.selected, "retained": self.retained}
        return {name: share for name, share in shares.items() if share is not None}


@dataclass(frozen=True)
class Looks:
    """Asks what chooses among steps, and what is to be retained."""

    material: Material
    asking: Asking

    def at(self, vectors: Vectors) -> Look:
        """``vectors`` empty: the unsteered model."""
        material = self.material
        return Look(
            *(self._right(some, vectors) for some in (material.selecting, material.retained))
        )

    def _right(self, items: Sequence[Item], vectors: Vectors) -> float | None:
        task = self.material.task
        if task is None or not items:
            return None
        said = self.asking.greedy(items, vectors)
        hits = [task.grade(item, one.text).correct for item, one in zip(items, said, strict=True)]
        return sum(hits) / len(hits)
