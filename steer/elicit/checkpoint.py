"""States of training as JSON, exact to the last bit."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from steer.elicit.state import Array, State, Vectors
from steer.types import Site


def pack(vectors: Vectors) -> dict[str, str]:
    """Float32, little-endian, base64, by the name of the site."""
    return {
        str(at): base64.b64encode(vector.astype("<f4").tobytes()).decode()
        for at, vector in vectors.items()
    }


def unpack(packed: Mapping[str, str]) -> dict[Site, Array]:
    """What ``pack`` made."""
    return {
        Site.parse(name): np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)
        for name, text in packed.items()
    }


def to_json(state: State) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "step": state.step,
        "vectors": pack(state.vectors),
        "first": pack(state.first),
        "second": pack(state.second),
    }


def from_json(packed: Mapping[str, Any]) -> State:
    """What ``to_json`` made."""
    vectors, first, second = (unpack(packed[name]) for name in ("vectors", "first", "second"))
    return State(vectors, first, second, packed["step"])
