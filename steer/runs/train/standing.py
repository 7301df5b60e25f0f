"""Where a training run stands: what its checkpoints hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steer.elicit.checkpoint import from_json, pack, to_json, unpack
from steer.elicit.state import State, Vectors


@dataclass(frozen=True, slots=True)
class Best:
    """The vectors of the step that did best on the split ``select``; ``score``: share, 0 to 1."""

    step: int
    score: float
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Standing:
    """After ``step`` steps. ``idle``: steps in a row in which no rewards differed. ``ended``: why
    it goes no further, a reason in upper snake case; empty while it does."""

    state: State
    step: int = 0
    best: Best | None = None
    idle: int = 0
    ended: str = ""

    @property
    def kept(self) -> Best:
        """What is stored in the end: the best, or without a selection the last."""
        return self.best or Best(self.step, 0.0, self.state.vectors)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, exact to the last bit."""
        best = self.best
        return {
            "state": to_json(self.state),
            "step": self.step,
            "best": best
            and {"step": best.step, "score": best.score, "vectors": pack(best.vectors)},
            "idle": self.idle,
            "ended": self.ended,
        }

    @classmethod
    def from_json(cls, packed: Mapping[str, Any]) -> "Standing":
        """What ``to_json`` made."""
        best = packed["best"]
        return cls(
            from_json(packed["state"]),
            packed["step"],
            best and Best(best["step"], best["score"], unpack(best["vectors"])),
            packed["idle"],
            packed["ended"],
        )
