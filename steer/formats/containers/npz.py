"""Files of numpy: arrays, and npz archives of them; never objects."""

import math
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from steer.formats.containers.zips import Entry, read_directory
from steer.formats.matrix import Array, Matrix, Tensor
from steer.formats.refusal import refuse
from steer.formats.scratch import Scratch
from steer.formats.source import File

_LARGEST_HEADER = 4096
_VERSIONS = (b"\x01\x00", b"\x02\x00", b"\x03\x00")
_HEADER = re.compile(
    r"\{'descr': (?P<dtype>[^{}]{1,200}?), 'fortran_order': (?P<fortran>True|False), "
    r"'shape': \((?P<shape>(?:\d{1,12}(?:, \d{1,12}){0,7},?)?)\), \}\s*"
)
_NUMBER = re.compile(r"'[<>|=](?:f[248]|[iu][1248])'")
Read = Callable[[int, int], bytes]
"""Bytes of an entry: from where, how many."""


def read_npz(file: File) -> Mapping[str, Tensor]:
    """The arrays by name. Raises InvalidRequest for what is no array of numbers."""
    found = {}
    for entry in read_directory(file, compressed=True).values():
        if not entry.name.endswith(".npy"):
            refuse(file.at, "NOT_AN_ARRAY", f"{entry.name!r} is not an array")
        name = entry.name.removesuffix(".npy")
        found[name] = _tensor(name, _opened(file, entry), entry.size)
    return found


def read_npy(file: File) -> Tensor:
    """The array of a file. Raises InvalidRequest for what is no array of numbers."""
    return _tensor(file.name, file.read, file.size)


def _opened(file: File, entry: Entry) -> Read:
    """Reads from an entry; what is packed is inflated first, into a temporary file."""
    if not entry.compressed:
        return lambda start, length: file.read(entry.start + start, length)
    target = Scratch()
    inflate = zlib.decompressobj(-15)
    left, start = entry.size, entry.start
    while left > 0 and not inflate.eof:
        packed = inflate.unconsumed_tail or file.read(
            start, min(1 << 20, entry.start + entry.packed - start)
        )
        start += 0 if inflate.unconsumed_tail else len(packed)
        try:
            piece = inflate.decompress(packed, min(left, 1 << 20))
        except zlib.error as error:
            refuse(file.at, "BAD_ARCHIVE", f"{entry.name!r} can not be inflated: {error}")
        if not piece and not packed:
            break
        target.file.write(piece)
        left -= len(piece)
    if left:
        refuse(file.at, "TRUNCATED", f"{entry.name!r} holds {left} bytes less than it says")
    return target.read


def _tensor(name: str, read: Read, size: int) -> Tensor:
    at = f"tensors[{name[:100]}]"
    dtype, fortran, shape, start = _header(at, read(0, min(size, _LARGEST_HEADER)))
    if math.prod(shape) * dtype.itemsize != size - start:
        refuse(at, "TRUNCATED", f"has {size - start} bytes for the shape {shape} of {dtype}")
    plain = _plain(name, shape[::-1] if fortran else shape, dtype, read, start)
    if not fortran or len(shape) < 2:
        return plain
    if len(shape) > 2:
        refuse(at, "WRONG_SHAPE", f"has shape {shape}, want at most two dimensions")
    turned = plain.matrix().T

    def read_turned(first: int, last: int) -> Array:
        return _flat(turned, first, last)

    return Tensor(name, shape, plain.dtype, read_turned, turned.block)


def _header(at: str, data: bytes) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """What an array's header says (numpy's NEP 1): dtype, order, shape, and where values begin.

    Read by its form alone, which numpy always writes the same: it is an expression of Python.
    """
    width = 2 if data[6:7] == b"\x01" else 4
    start = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    match = _HEADER.fullmatch(data[8 + width : start].decode("latin-1"))
    if data[:6] != b"\x93NUMPY" or data[6:8] not in _VERSIONS or start > len(data) or not match:
        refuse(at, "BAD_HEADER", "is no array: its header is not what numpy writes")
    if not _NUMBER.fullmatch(match["dtype"]):
        refuse(at, "NOT_AN_ARRAY", f"holds {match['dtype'][:50]}, want numbers")
    shape = tuple(int(side) for side in re.findall(r"\d+", match["shape"]))
    return np.dtype(match["dtype"].strip("'")), match["fortran"] == "True", shape, start


def _plain(name: str, shape: Any, dtype: np.dtype[Any], read: Read, start: int) -> Tensor:
    def numbers(first: int, last: int) -> Array:
        data = read(start + first * dtype.itemsize, (last - first) * dtype.itemsize)
        return np.frombuffer(data, dtype).astype("f4")

    return Tensor(name, tuple(shape), str(dtype), numbers)


def _flat(matrix: Matrix, first: int, last: int) -> Array:
    """The flat range [first, last) of a matrix."""
    width = max(1, matrix.shape[1])
    top = first // width
    values = np.ascontiguousarray(matrix.rows(top, -(-last // width))).reshape(-1)
    part: Array = values[first - top * width : last - top * width]
    return part
