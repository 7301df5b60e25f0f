"""GGUF control vectors as llama.cpp loads them (``common_control_vector_load_one``).

``direction.k`` is added to the output of block k, which is our ``resid_post.k``; there is no
``direction.0``, and tensors are F32 with one side.
"""

import json
import math
import struct
from collections.abc import Mapping

import numpy as np

from steer.errors import Violations
from steer.formats.containers.gguf import ALIGNMENT, ARCHITECTURE, F32, MAGIC, STRING, UINT32
from steer.formats.matrix import Array
from steer.formats.refusal import refuse
from steer.formats.writers.written import Output, Written, check_points
from steer.store import Item, Vector
from steer.store.where import where_to_dict
from steer.types import Point, Where

_VERSION = 3


def write(item: Item) -> Written:
    """One file. Raises InvalidRequest for points other than resid_post, and layer 0 alone."""
    assert isinstance(item, Vector)
    found = Violations()
    check_points(item.card.sites, (Point.RESID_POST,), found)
    found.raise_if_any()
    tensors = {site.layer: item.tensors[site] for site in sorted(item.tensors) if site.layer}
    if not tensors:
        refuse("sites", "NO_SUCH_POINT", "llama.cpp does not steer layer 0, the only one there is")
    notes = []
    if len(tensors) < len(item.tensors):
        notes.append("resid_post.0, because llama.cpp has no direction.0")
    if item.classes:
        notes.append("what is within its classes")
    if item.card.strength.value != 1.0 or item.card.strength.unit != "raw":
        strength = item.card.strength
        notes.append(f"the default strength {strength.value:g} ({strength.unit.value})")
    if item.card.where != Where():
        notes.append(f"the default where {json.dumps(where_to_dict(item.card.where))}")
    return Written({"vector.gguf": Output.of(encode(tensors, item.card.model))}, tuple(notes))


def encode(directions: Mapping[int, Array], model: str) -> bytes:
    """The file of directions by number; ``model`` is the hint, which llama.cpp does not read."""
    values: list[tuple[str, int, str | int]] = [
        (ARCHITECTURE, STRING, "controlvector"),
        ("controlvector.model_hint", STRING, model),
        ("controlvector.layer_count", UINT32, len(directions)),
    ]
    head = MAGIC + struct.pack("<IQQ", _VERSION, len(directions), len(values))
    for key, kind, value in values:
        head += _text(key) + struct.pack("<I", kind)
        head += _text(value) if isinstance(value, str) else struct.pack("<I", value)
    data = b""
    for number, array in directions.items():
        head += _text(f"direction.{number}") + struct.pack("<IQIQ", 1, array.size, F32, len(data))
        data += _padded(np.ascontiguousarray(array, "<f4").tobytes())
    return _padded(head) + data


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _padded(data: bytes) -> bytes:
    return data.ljust(math.ceil(len(data) / ALIGNMENT) * ALIGNMENT, b"\0")
