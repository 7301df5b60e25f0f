"""Safetensors files of float32 tensors: written in chunks, read as read-only arrays.

The format is that of the safetensors project: eight bytes of header length (little-endian), a JSON
header, then the values without gaps. Files above ``MAPPED_ABOVE`` are mapped into memory, so that a
few rows of a large tensor cost a few pages.
"""

import hashlib
import json
import math
import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedRandom, BufferedReader
from itertools import chain
from typing import Any

import numpy as np

from steer.store.checks import Array, Tensors
from steer.unique import RepeatedKeys, unique

File = BufferedReader | BufferedRandom

MAPPED_ABOVE = 1 << 20
LARGEST_HEADER = 8 << 20
LARGEST_RANK = 8
_CHUNK = 1 << 20


class TensorsError(ValueError):
    """A tensor file that is not what it says it is; says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor in a file: its shape, and the bytes [start, stop) of the file that hold it."""

    shape: tuple[int, ...]
    start: int
    stop: int


def encode(arrays: Mapping[str, Array]) -> tuple[int, Iterator[bytes | memoryview]]:
    """The size in bytes of the file of these arrays, and the file in chunks of bounded size.

    Tensors are in the order given.
    """
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
    values = chain.from_iterable(_values(array) for array in arrays.values())
    return 8 + len(text) + offset, chain([len(text).to_bytes(8, "little") + text], values)


def _values(array: Array) -> Iterator[memoryview]:
    # Row by row, because a transposed array that is made flat is copied as a whole.
    rows = array if array.ndim else array.reshape(1)
    step = max(1, _CHUNK * len(rows) // max(1, array.size * 4))
    for start in range(0, len(rows), step):
        part = np.ascontiguousarray(rows[start : start + step], "<f4")
        yield part.reshape(-1).data.cast("B")


def digest(file: File) -> str:
    """The sha256 of a whole file in hex."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def read(file: File) -> Tensors:
    """All tensors of an open file, read-only. Large files are mapped and stay mapped.

    Values are looked at through small buffers: what is mapped counts as memory once it is touched.
    Raises TensorsError when the header lies about the file or a tensor is not float32.
    """
    size = os.fstat(file.fileno()).st_size
    entries = parse_header(file, size)
    looks = {name: _look(file, entry) for name, entry in entries.items()}
    return Tensors(
        _arrays(file, size, entries),
        not_finite=frozenset(name for name, (finite, _) in looks.items() if not finite),
        zero=frozenset(name for name, (_, nonzero) in looks.items() if not nonzero),
    )


def _look(file: File, entry: Entry) -> tuple[bool, bool]:
    """Whether all values are finite, and whether any is not zero."""
    finite, nonzero = True, False
    file.seek(entry.start)
    for start in range(entry.start, entry.stop, _CHUNK):
        part = np.frombuffer(file.read(min(_CHUNK, entry.stop - start)), "<f4")
        finite = finite and bool(np.isfinite(part).all())
        nonzero = nonzero or bool(part.any())
    return finite, nonzero


def _arrays(file: File, size: int, entries: Mapping[str, Entry]) -> dict[str, Array]:
    if size > MAPPED_ABOVE:
        data: Any = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    else:
        file.seek(0)
        data = file.read(size)
    return {
        name: np.frombuffer(data, "<f4", math.prod(entry.shape), entry.start).reshape(entry.shape)
        for name, entry in entries.items()
    }


def parts(matrix: Array, rows: int) -> Iterator[Array]:
    """A matrix, so many rows at a time, each let go when the next is asked for."""
    for start in range(0, len(matrix), rows):
        yield matrix[start : start + rows]
        let_go(matrix)


def let_go(array: Array) -> None:
    """Where an array is of a mapped file, drop the pages that were looked at: they count as memory
    of this process, and are read again when they are looked at again."""
    owner: Any = array
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def parse_header(file: File, size: int) -> dict[str, Entry]:
    """Where the tensors of a file of ``size`` bytes are. Reads the header alone.

    Raises TensorsError naming the tensor and what is wrong with it.
    """
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, LARGEST_HEADER):
        raise TensorsError(f"its header is said to have {length} bytes, the file has {size}")
    raw = _header(file.read(length))
    raw.pop("__metadata__", None)
    entries = {name: _entry(name, value, 8 + length) for name, value in raw.items()}
    _check_contiguous(entries, 8 + length, size)
    return entries


def _header(text: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(text.decode(), object_pairs_hook=unique)
    except RepeatedKeys as error:
        raise TensorsError(f"{error.keys[0]}: is there twice") from error
    except (ValueError, RecursionError) as error:
        raise TensorsError(f"its header is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise TensorsError("its header is not a JSON object")
    return raw


def _entry(name: str, raw: Any, base: int) -> Entry:
    if not isinstance(raw, dict) or raw.keys() != {"dtype", "shape", "data_offsets"}:
        raise TensorsError(f"{name}: its entry is not dtype, shape and data_offsets")
    if raw["dtype"] != "F32":
        raise TensorsError(f"{name}: is {raw['dtype']!r}, want 'F32'")
    shape, offsets = raw["shape"], raw["data_offsets"]
    if not _are_sizes(shape, LARGEST_RANK) or 0 in shape:
        raise TensorsError(f"{name}: its shape is not a list of sizes")
    if not _are_sizes(offsets, 2) or len(offsets) != 2:
        raise TensorsError(f"{name}: its data_offsets are not two offsets")
    start, stop = offsets
    if math.prod(shape) * 4 != stop - start:
        raise TensorsError(f"{name}: {stop - start} bytes do not hold the shape {shape}")
    return Entry(tuple(shape), base + start, base + stop)


def _are_sizes(raw: Any, most: int) -> bool:
    # Not isinstance: to it, true is an integer.
    return (
        isinstance(raw, list)
        and len(raw) <= most
        and all(type(number) is int and 0 <= number < 2**63 for number in raw)
    )


def _check_contiguous(entries: Mapping[str, Entry], start: int, size: int) -> None:
    for name, entry in sorted(entries.items(), key=lambda item: item[1].start):
        if entry.start != start:
            raise TensorsError(f"{name}: begins at {entry.start}, want {start}")
        start = entry.stop
    if start != size:
        raise TensorsError(f"its tensors end at {start}, the file at {size}")
