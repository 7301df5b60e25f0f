"""What every kind of stored thing checks of its tensors."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steer.errors import Violations

Array = NDArray[np.float32]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Tensors:
    """Tensors by name, and which of them hold NaN or infinity, or nothing but zeros."""

    arrays: Mapping[str, Array]
    not_finite: frozenset[str] = frozenset()
    zero: frozenset[str] = frozenset()

    def rows(self, name: str) -> int:
        """First dimension of a tensor; 1 where it has none, so that the check of shapes fails."""
        array = self.arrays.get(name)
        return array.shape[0] if array is not None and array.ndim else 1


def check_tensors(
    tensors: Tensors,
    shapes: Mapping[str, Shape],
    found: Violations,
    *,
    nonzero: Collection[str] = (),
    optional: Collection[str] = (),
) -> None:
    """Note tensors that are missing or unknown, of another shape, not finite, or all zero.

    ``shapes``: what is wanted, by tensor name. ``nonzero``: those that may not be all zero.
    """
    missing = set(shapes) - set(tensors.arrays) - set(optional)
    unknown = set(tensors.arrays) - set(shapes)
    if missing or unknown:
        said = {"missing": missing, "unknown": unknown}
        parts = [f"{what} {', '.join(sorted(names))}" for what, names in said.items() if names]
        found.add("tensors", "NOT_THE_CARDS", f"are not those of the card: {'; '.join(parts)}")
    for name in sorted(set(tensors.arrays) & set(shapes)):
        at, shape = f"tensors[{name}]", tensors.arrays[name].shape
        if shape != shapes[name]:
            message = f"has shape {shape}, want {shapes[name]}"
            found.add(at, "WRONG_SHAPE", message)
        elif name in tensors.not_finite:
            found.add(at, "NOT_FINITE", "holds NaN or infinity")
        elif name in tensors.zero and name in nonzero:
            found.add(at, "ZERO_VECTOR", "is all zero")
