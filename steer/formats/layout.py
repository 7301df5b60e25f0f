"""Tensors too large to hold, in the layout of the store's files (safetensors, float32).

On the way in they are written to a temporary file without a name, a few MB at a time, as the very
file the store will have: it is mapped for whoever looks at a few rows, and streamed to the store.
"""

import json
from collections.abc import Iterator, Mapping

import numpy as np

from steer.formats.matrix import Array, Matrix
from steer.formats.scratch import Scratch
from steer.store import tensors
from steer.store.checks import Tensors

Parts = Mapping[str, Array | Matrix]


def encode(parts: Parts, metadata: Mapping[str, str] | None = None) -> tuple[int, Iterator[bytes]]:
    """The size in bytes of the file of these tensors in this order, and the file in pieces."""
    blanks = {name: np.broadcast_to(np.float32(0), part.shape) for name, part in parts.items()}
    size, chunks = tensors.encode(blanks)
    header = bytes(next(iter(chunks)))  # The first chunk is the header; the rest would be zeros.
    values = size - len(header)
    if metadata:
        text = json.dumps({"__metadata__": metadata, **json.loads(header[8:])}).encode()
        text += b" " * (-len(text) % 8)
        header = len(text).to_bytes(8, "little") + text
    return len(header) + values, _pieces(header, parts)


def _pieces(header: bytes, parts: Parts) -> Iterator[bytes]:
    yield header
    for part in parts.values():
        matrix = part if isinstance(part, Matrix) else Matrix.of(part.reshape(1, -1))
        for _, rows in matrix.pieces():
            yield np.ascontiguousarray(rows, "<f4").tobytes()


def spool(parts: Parts) -> tuple[Scratch, Tensors]:
    """Write tensors in the order given; the file, and what the store reads from it (mapped)."""
    scratch = Scratch()
    for piece in encode(parts)[1]:
        scratch.file.write(piece)
    scratch.file.flush()
    return scratch, tensors.read(scratch.file)
