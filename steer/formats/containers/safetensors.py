"""Safetensors files of any dtype, with their metadata.

Eight bytes of header length (little-endian), a JSON header, then the values without gaps (format
of the safetensors project).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steer.errors import Violations
from steer.formats.containers.text import parse_json
from steer.formats.matrix import Tensor, itemsize, stored
from steer.formats.refusal import refuse
from steer.formats.source import File

LARGEST_HEADER = 8 << 20
_METADATA = "__metadata__"
_KEYS = {"dtype", "shape", "data_offsets"}


@dataclass(frozen=True)
class Safetensors:
    """What a file says it holds, checked against its size."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]


def read_safetensors(file: File) -> Safetensors:
    """Read the header alone. Raises InvalidRequest with everything that is wrong with it."""
    return file.once(_read)


def _read(file: File) -> Safetensors:
    length = int.from_bytes(file.read(0, 8), "little") if file.size >= 8 else file.size
    if length > min(file.size - 8, LARGEST_HEADER):
        refuse(file.at, "TRUNCATED", f"has {file.size} bytes, its header is said to have {length}")
    try:
        text = file.read(8, length).decode()
    except UnicodeDecodeError:
        refuse(file.at, "BAD_HEADER", "has a header that is not UTF-8")
    header = parse_json(text, file.at)
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        refuse(file.at, "BAD_HEADER", "has metadata that are not texts by name")
    found = Violations()
    spans: list[tuple[int, int, str]] = []
    tensors: dict[str, Tensor] = {}
    for name, raw in header.items():
        problem = _problem(raw)
        if problem:
            found.add(f"tensors[{name[:200]}]", "BAD_HEADER", problem)
            continue
        start, stop = raw["data_offsets"]
        spans.append((start, stop, name))
        shape = tuple(raw["shape"])
        tensors[name] = stored(name, shape, raw["dtype"], file, 8 + length + start)
    if not found:
        _check_spans(spans, file.size - 8 - length, found)
    found.raise_if_any()
    return Safetensors(tensors, metadata)


def _problem(raw: Any) -> str:
    if not isinstance(raw, dict) or raw.keys() != _KEYS:
        return "has a header that is not dtype, shape and data_offsets"
    dtype, shape, offsets = raw["dtype"], raw["shape"], raw["data_offsets"]
    size = itemsize(dtype) if isinstance(dtype, str) else None
    if size is None:
        return f"is {str(dtype)[:50]!r}, which is not read"
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        return "has a shape or offsets that are not sizes"
    if math.prod(shape) * size != offsets[1] - offsets[0]:
        return f"has {offsets[1] - offsets[0]} bytes for the shape {shape}"
    return ""


def _are_sizes(raw: Any) -> bool:
    # Not isinstance: to it, true is an integer.
    return (
        isinstance(raw, list)
        and len(raw) <= 8
        and all(type(number) is int and 0 <= number < 2**48 for number in raw)
    )


def _check_spans(spans: list[tuple[int, int, str]], size: int, found: Violations) -> None:
    end = 0
    for start, stop, name in sorted(spans):
        if start != end:
            found.add(f"tensors[{name}]", "BAD_HEADER", f"begins at {start}, want {end}")
        end = stop
    if end != size:
        found.add("tensors", "TRUNCATED", f"end at {end}, the file at {size}")
