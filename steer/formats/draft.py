"""What a reader found, before it is checked as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steer.formats.matrix import Array, Matrix
from steer.store import Card, DictionarySpec
from steer.types import Site

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Draft:
    """An item of a kind by the names the store has for its tensors.

    ``writer``: who wrote the file. ``convention``: whose index it has and what was done to it.
    ``scale``: what its length means. ``parameters``: what the file says besides. ``card``: all of
    it, where a file has one of ours.
    """

    kind: str
    sites: tuple[Site, ...]
    tensors: Mapping[str, Array | Matrix]
    d_model: int
    writer: str
    convention: str
    scale: str = ""
    model: str = ""
    revision: str = ""
    method: str = UNKNOWN
    description: str = ""
    strength: float = 1.0
    spec: DictionarySpec | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    residual_norms: Mapping[Site, float] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)
    data_hash: str = ""
    created: str = ""
    card: Card | None = None


def directions(found: Mapping[Site, Array]) -> tuple[Mapping[str, Array], int]:
    """Tensors of a direction, by site, and their width: that of the first."""
    first = next(iter(found.values()))
    width = first.shape[-1] if first.ndim else 0
    return {str(site): found[site] for site in sorted(found)}, width
