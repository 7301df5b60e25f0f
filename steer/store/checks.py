"""What every kind of stored thing checks of its tensors."""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from steer.errors import Violations

Array = NDArray[np.float32]
Shape = tuple[int, ...]

_CHUNK = 1 << 20


def check_tensors(
    arrays: Mapping[str, Array],
    shapes: Mapping[str, Shape],
    found: Violations,
    *,
    nonzero: Collection[str] = (),
    optional: Collection[str] = (),
) -> None:
    """Note tensors that are missing or unknown, of another shape, not finite, or all zero.

    ``shapes``: what is wanted, by tensor name. ``nonzero``: those that may not be all zero.
    """
    missing = set(shapes) - set(arrays) - set(optional)
    unknown = set(arrays) - set(shapes)
    if missing or unknown:
        said = {"missing": missing, "unknown": unknown}
        parts = [f"{what} {', '.join(sorted(names))}" for what, names in said.items() if names]
        found.add("tensors", "NOT_THE_CARDS", f"are not those of the card: {'; '.join(parts)}")
    for name in sorted(set(arrays) & set(shapes)):
        _check_one(name, arrays[name], shapes[name], name in nonzero, found)


def _check_one(name: str, array: Array, shape: Shape, nonzero: bool, found: Violations) -> None:
    at = f"tensors[{name}]"
    if array.dtype != np.float32 or array.shape != shape:
        message = f"is {array.dtype} {array.shape}, want float32 {shape}"
        found.add(at, "WRONG_SHAPE", message)
        return
    flat = array.reshape(-1)
    # In chunks: a dictionary is larger than what its check may take.
    parts = [flat[start : start + _CHUNK] for start in range(0, flat.size, _CHUNK)]
    if not all(np.isfinite(part).all() for part in parts):
        found.add(at, "NOT_FINITE", "holds NaN or infinity")
    elif nonzero and not any(part.any() for part in parts):
        found.add(at, "ZERO_VECTOR", "is all zero")


def rows(arrays: Mapping[str, Array], name: str) -> int:
    """First dimension of a tensor; 1 when it is not there or has none, so that a check fails."""
    array = arrays.get(name)
    return array.shape[0] if array is not None and array.ndim and array.shape[0] else 1
