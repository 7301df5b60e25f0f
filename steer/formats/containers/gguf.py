"""GGUF files: key-values and tensors (version 2 and 3 of the format of ggml, little-endian).

Counts and lengths are checked against the file before anything is read by them.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steer.formats.matrix import Tensor, itemsize, stored
from steer.formats.refusal import refuse
from steer.formats.source import File

MAGIC = b"GGUF"
ALIGNMENT = 32
ARCHITECTURE = "general.architecture"
STRING, UINT32, INT32, FLOAT32 = 8, 4, 5, 6
F32 = 0
_MOST_KEYS = 10_000
_MOST_TENSORS = 100_000
_LARGEST_STRING = 1 << 20
_LARGEST_HEADER = 8 << 20
_NUMBERS = {
    0: "B", 1: "b", 2: "H", 3: "h", UINT32: "I", INT32: "i", FLOAT32: "f", 7: "?", 10: "Q",
    11: "q", 12: "d",
}  # fmt: skip
_DTYPES = {F32: "F32", 1: "F16", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 30: "BF16"}


@dataclass(frozen=True)
class Gguf:
    """Values by key with the number of their type (of an array: that of its elements), tensors."""

    values: Mapping[str, Any]
    types: Mapping[str, int]
    tensors: Mapping[str, Tensor]

    def text(self, key: str) -> str:
        """A value that is a text; empty when there is none."""
        value = self.values.get(key)
        return value if isinstance(value, str) else ""


def read_gguf(file: File) -> Gguf:
    """Read the header alone. Raises InvalidRequest saying where it lies."""
    return _Reader(file).read()


@dataclass
class _Reader:
    file: File
    at: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def read(self) -> Gguf:
        if self._bytes(4) != MAGIC:
            refuse(self.file.at, "NOT_GGUF", "does not begin with GGUF")
        version = self._number("I")
        if version not in (2, 3):
            message = f"is version {version}, want 2 or 3 (little-endian)"
            refuse(self.file.at, "UNKNOWN_VERSION", message)
        tensors = self._count("tensors", _MOST_TENSORS, 24)
        keys = self._count("keys", _MOST_KEYS, 12)
        for _ in range(keys):
            self._key()
        self._tensors(tensors)
        return Gguf(self.values, self.types, self.tensors)

    def _key(self) -> None:
        key = self._string()
        if key in self.values:
            refuse(self.file.at, "DUPLICATE", f"the key {key[:100]!r} is there twice")
        kind = self._number("I")
        if kind == 9:
            kind = self._number("I")
            self.values[key] = [self._value(kind) for _ in range(self._count(key, 1 << 20, 1))]
        else:
            self.values[key] = self._value(kind)
        self.types[key] = kind

    def _value(self, kind: int) -> Any:
        if kind == STRING:
            return self._string()
        if kind not in _NUMBERS:
            refuse(self.file.at, "BAD_HEADER", f"holds a value of type {kind}, which is not read")
        return self._number(_NUMBERS[kind])

    def _tensors(self, count: int) -> None:
        infos = [self._info() for _ in range(count)]
        alignment = self.values.get("general.alignment", ALIGNMENT)
        if type(alignment) is not int or not 8 <= alignment <= 1 << 16 or alignment % 8:
            refuse(self.file.at, "BAD_HEADER", f"has an alignment of {alignment!r}"[:100])
        base = -(-self.at // alignment) * alignment
        end = 0
        for name, shape, dtype, offset in sorted(infos, key=lambda info: info[3]):
            at = f"tensors[{name[:100]}]"
            size = itemsize(_DTYPES.get(dtype, ""))
            if name in self.tensors:
                refuse(at, "DUPLICATE", "is there twice")
            if size is None:
                refuse(at, "WRONG_TYPE", f"is of ggml type {dtype}, want plain numbers")
            if offset < end:
                refuse(at, "OVERLAP", f"begins at {offset}, another tensor ends at {end}")
            end = offset + math.prod(shape) * size
            if base + end > self.file.size:
                refuse(at, "TRUNCATED", f"of shape {shape} ends behind the end of the file")
            self.tensors[name] = stored(name, shape, _DTYPES[dtype], self.file, base + offset)

    def _info(self) -> tuple[str, tuple[int, ...], int, int]:
        name, dimensions = self._string(), self._number("I")
        if dimensions > 4:
            refuse(f"tensors[{name[:100]}]", "WRONG_SHAPE", f"has {dimensions} dimensions")
        shape = tuple(self._number("Q") for _ in range(dimensions))
        # ggml counts dimensions from the innermost.
        return name, shape[::-1], self._number("I"), self._number("Q")

    def _count(self, what: str, most: int, least_size: int) -> int:
        count: int = self._number("Q")
        if count > most or count * least_size > self.file.size - self.at:
            refuse(self.file.at, "LYING_SIZE", f"says it has {count} {what[:100]}")
        return count

    def _string(self) -> str:
        length = self._number("Q")
        if length > min(_LARGEST_STRING, self.file.size - self.at):
            refuse(self.file.at, "LYING_SIZE", f"says a text has {length} bytes")
        return self._bytes(length).decode(errors="replace")

    def _number(self, code: str) -> Any:
        return struct.unpack(f"<{code}", self._bytes(struct.calcsize(f"<{code}")))[0]

    def _bytes(self, length: int) -> bytes:
        if self.at + length > _LARGEST_HEADER:
            refuse(self.file.at, "TOO_LARGE", f"has a header of more than {_LARGEST_HEADER} bytes")
        data = self.file.read(self.at, length)
        self.at += length
        return data
