"""Safetensors files of float32 tensors: written in chunks, read as read-only arrays.

The format is that of the safetensors project: eight bytes of header length (little-endian), a JSON
header, then the values without gaps. Files above ``MAPPED_ABOVE`` are mapped into memory, so that a
few rows of a large tensor cost a few pages.
"""

import json
import math
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from steer.store.checks import Array

MAPPED_ABOVE = 1 << 20
LARGEST_HEADER = 8 << 20
_CHUNK = 1 << 20


class TensorsError(ValueError):
    """A tensor file that is not what it says it is; says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor in a file: its shape, and the bytes [start, stop) of the file that hold it."""

    shape: tuple[int, ...]
    start: int
    stop: int


def encode(arrays: Mapping[str, Array]) -> Iterator[bytes | memoryview]:
    """The file of these arrays, in chunks of bounded size. Tensors are in the order given."""
    header: dict[str, Any] = {}
    offset = 0
    for name, array in arrays.items():
        size = array.size * 4
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for array in arrays.values():
        yield from _values(array)


def _values(array: Array) -> Iterator[memoryview]:
    flat = array.reshape(-1)
    for start in range(0, flat.size, _CHUNK // 4):
        part = np.ascontiguousarray(flat[start : start + _CHUNK // 4], "<f4")
        yield part.data.cast("B")


def read(file: BinaryIO) -> dict[str, Array]:
    """All tensors of an open file, read-only. Large files are mapped and stay mapped.

    Raises TensorsError when the header lies about the file or a tensor is not float32.
    """
    size = os.fstat(file.fileno()).st_size
    entries = parse_header(file, size)
    if size > MAPPED_ABOVE:
        data: Any = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    else:
        file.seek(0)
        data = file.read(size)
    return {
        name: np.frombuffer(data, "<f4", math.prod(entry.shape), entry.start).reshape(entry.shape)
        for name, entry in entries.items()
    }


def parse_header(file: BinaryIO, size: int) -> dict[str, Entry]:
    """Where the tensors of a file of ``size`` bytes are. Reads the header alone.

    Raises TensorsError naming the tensor and what is wrong with it.
    """
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, LARGEST_HEADER):
        raise TensorsError(f"its header is said to have {length} bytes, the file has {size}")
    try:
        raw = json.loads(file.read(length), object_pairs_hook=_unique)
        raw.pop("__metadata__", None)
        entries = {name: _entry(name, value, 8 + length) for name, value in raw.items()}
    except (UnicodeDecodeError, RecursionError, AttributeError) as error:
        raise TensorsError(f"its header is not a JSON object of tensors: {error}") from error
    except (KeyError, TypeError) as error:
        raise TensorsError(f"its header lacks something: {error}") from error
    _check_contiguous(entries, 8 + length, size)
    return entries


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise TensorsError(f"{key}: is there twice")
        found[key] = value
    return found


def _entry(name: str, raw: Mapping[str, Any], base: int) -> Entry:
    shape, (start, stop) = tuple(raw["shape"]), raw["data_offsets"]
    if raw["dtype"] != "F32":
        raise TensorsError(f"{name}: is {raw['dtype']}, want F32")
    numbers = (*shape, start, stop)
    if not all(type(number) is int and number >= 0 for number in numbers) or 0 in shape:
        raise TensorsError(f"{name}: shape {shape} and offsets {start}, {stop} are not sizes")
    if math.prod(shape) * 4 != stop - start:
        raise TensorsError(f"{name}: {stop - start} bytes do not hold the shape {shape}")
    return Entry(shape, base + start, base + stop)


def _check_contiguous(entries: Mapping[str, Entry], start: int, size: int) -> None:
    for name, entry in sorted(entries.items(), key=lambda item: item[1].start):
        if entry.start != start:
            raise TensorsError(f"{name}: begins at {entry.start}, want {start}")
        start = entry.stop
    if start != size:
        raise TensorsError(f"its tensors end at {start}, the file at {size}")
