"""Where training stands: vectors and what Adam remembers. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steer.types import Site

Array = NDArray[np.float32]
Vectors = Mapping[Site, Array]


@dataclass(frozen=True, slots=True)
class State:
    """Vectors (d_model,) by site with the first and second moments that Adam keeps of their
    gradients, after ``step`` updates."""

    vectors: Vectors
    first: Vectors
    second: Vectors
    step: int = 0

    @classmethod
    def zero(cls, sites: Sequence[Site], d_model: int) -> State:
        """Where training begins."""
        none = {at: np.zeros(d_model, np.float32) for at in sites}
        return cls(none, none, none)

    def norms(self) -> dict[Site, float]:
        """‖v‖ by site."""
        return {at: float(np.linalg.norm(v.astype(np.float64))) for at, v in self.vectors.items()}
