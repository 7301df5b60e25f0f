"""Tensors of a file, read a piece at a time.

A dictionary's matrices are larger than what a server should hold, and writers store them in either
direction: pieces of both directions are read from where they lie.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steer.formats.refusal import refuse
from steer.formats.source import File
from steer.store.tensors import let_go

Array = NDArray[np.float32]
Shape = tuple[int, ...]

LARGEST_ARRAY = 256 << 20
"""Bytes of float32 that ``Tensor.array`` reads at once."""
_BLOCK = 8 << 20


@dataclass(frozen=True)
class Matrix:
    """A matrix that is not in memory. ``block``: float32 values of some rows and columns."""

    shape: tuple[int, int]
    block: Callable[[slice, slice], Array]

    @property
    def T(self) -> "Matrix":
        """The transposed matrix."""
        return Matrix(self.shape[::-1], lambda rows, columns: self.block(columns, rows).T)

    def rows(self, start: int, stop: int) -> Array:
        """Rows [start, stop)."""
        return self.block(slice(start, min(stop, self.shape[0])), slice(0, self.shape[1]))

    def pieces(self) -> Iterator[tuple[int, Array]]:
        """All rows in order, a few MB at a time, each with the index of its first row."""
        step = max(1, _BLOCK // (4 * max(1, self.shape[1])))
        for start in range(0, self.shape[0], step):
            yield start, self.rows(start, start + step)

    def times(self, factors: NDArray[np.floating[Any]] | float) -> "Matrix":
        """Each row times its factor (float64 inside), or all times one."""
        wide = np.asarray(factors, "f8")

        def block(rows: slice, columns: slice) -> Array:
            by = wide[rows, None] if wide.ndim else wide
            return np.asarray(self.block(rows, columns) * by, np.float32)

        return Matrix(self.shape, block)

    def above(self, other: "Matrix") -> "Matrix":
        """The rows of this one, then those of another of the same width."""
        count = self.shape[0]

        def block(rows: slice, columns: slice) -> Array:
            parts = [
                self.block(slice(min(rows.start, count), min(rows.stop, count)), columns),
                other.block(slice(max(rows.start - count, 0), max(rows.stop - count, 0)), columns),
            ]
            return np.concatenate(parts)

        return Matrix((count + other.shape[0], self.shape[1]), block)

    def norms(self) -> NDArray[np.float64]:
        """Norm of every row."""
        found = [np.linalg.norm(part.astype("f8"), axis=1) for _, part in self.pieces()]
        return np.concatenate(found) if found else np.zeros(0)

    @classmethod
    def of(cls, array: Array) -> "Matrix":
        """A matrix that is in memory, or of a file that is mapped."""

        def block(rows: slice, columns: slice) -> Array:
            found = np.array(array[rows, columns])
            let_go(array)
            return found

        return cls((array.shape[0], array.shape[1]), block)


@dataclass(frozen=True)
class Tensor:
    """A tensor of a file: name, shape, name of its dtype, and its values in pieces.

    ``read``: float32 values of the flat range [start, stop), in row-major order. ``block``: of a
    matrix, where that can be done better than by ``read``.
    """

    name: str
    shape: Shape
    dtype: str
    read: Callable[[int, int], Array]
    block: Callable[[slice, slice], Array] | None = None

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def at(self) -> str:
        """How violations name it."""
        return f"tensors[{self.name}]"

    def array(self) -> Array:
        """All values, float32. Raises InvalidRequest when they are too many to hold."""
        if self.size * 4 > LARGEST_ARRAY:
            message = f"has {self.size} values, want at most {LARGEST_ARRAY // 4} for a vector"
            refuse(self.at, "TOO_LARGE", message)
        return self.read(0, self.size).reshape(self.shape)

    def matrix(self) -> Matrix:
        """The tensor as a matrix that is not read yet. Raises InvalidRequest when it is none."""
        if len(self.shape) != 2:
            refuse(self.at, "WRONG_SHAPE", f"has shape {self.shape}, want a matrix")
        rows, columns = self.shape
        return Matrix((rows, columns), self.block or self._block)

    def _block(self, rows: slice, columns: slice) -> Array:
        width = self.shape[1]
        if columns.stop - columns.start == width:
            return self.read(rows.start * width, rows.stop * width).reshape(-1, width)
        parts = [
            self.read(row * width + columns.start, row * width + columns.stop)
            for row in range(rows.start, rows.stop)
        ]
        return np.stack(parts) if parts else np.zeros((0, columns.stop - columns.start), "f4")


_NUMPY = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4",
    "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "u1",
}  # fmt: skip


def itemsize(dtype: str) -> int | None:
    """Bytes of a value; None for a dtype that is not read."""
    return np.dtype(_NUMPY[dtype]).itemsize if dtype in _NUMPY else None


def to_float(data: bytes, dtype: str) -> Array:
    """Little-endian values as float32; what does not fit is infinite."""
    raw: NDArray[Any] = np.frombuffer(data, _NUMPY[dtype])
    if dtype == "BF16":
        return (raw.astype("u4") << 16).view("f4")
    return raw.astype("f4")


def stored(name: str, shape: Shape, dtype: str, file: File, start: int) -> Tensor:
    """A tensor whose values lie in row-major order in a file from ``start``."""
    size = np.dtype(_NUMPY[dtype]).itemsize

    def read(first: int, last: int) -> Array:
        return to_float(file.read(start + first * size, (last - first) * size), dtype)

    return Tensor(name, shape, dtype, read)
