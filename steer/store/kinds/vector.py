"""Directions: what most methods of steering make."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from steer.errors import Violations
from steer.store.card import Card
from steer.store.checks import Array, Shape, Tensors, check_tensors
from steer.store.kinds.base import Item, norm
from steer.types import Site

SPREAD = "within_class."


@dataclass(frozen=True, eq=False)
class Vector(Item):
    """One direction of shape (d_model,) for each site; float32.

    ``spreads``: at some of the sites a factor F of shape (rank, d_model) of the covariance within
    the classes the direction was made from, Σ = FᵀF: rows are centred activations over
    sqrt(n - classes), or the leading principal ones scaled by their standard deviation. z·F with z
    standard normal of length rank is a draw from it.
    """

    name: str
    tensors: Mapping[Site, Array]
    card: Card
    content_hash: str = ""
    spreads: Mapping[Site, Array] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, card: Card, tensors: Tensors) -> Self:
        """Tensors ``<site>``, and ``within_class.<site>`` where there is a spread."""
        found = Violations()
        main: dict[str, Shape] = {str(site): (card.d_model,) for site in card.sites}
        optional = tuple(map(_spread, card.sites))
        shapes = main | {key: (tensors.rows(key), card.d_model) for key in optional}
        check_tensors(tensors, shapes, found, nonzero=shapes, optional=optional)
        found.raise_if_any()
        arrays = tensors.arrays
        directions = {site: arrays[str(site)] for site in card.sites}
        spreads = {s: arrays[_spread(s)] for s in card.sites if _spread(s) in arrays}
        return cls(name, directions, card, content_hash(directions), spreads)

    def arrays(self) -> dict[str, Array]:
        """Directions in the order of their sites, then spreads."""
        main = {str(site): self.tensors[site] for site in sorted(self.tensors)}
        return main | {_spread(site): self.spreads[site] for site in sorted(self.spreads)}

    def norms(self) -> dict[Site, float]:
        """‖v‖."""
        return {site: norm(array) for site, array in self.tensors.items()}


def content_hash(arrays: Mapping[Site, Array]) -> str:
    """``sha256:`` and the hex digest over sites and float32 bytes, in site order."""
    digest = hashlib.sha256()
    for site in sorted(arrays):
        digest.update(f"{site}:{arrays[site].shape[0]}\n".encode())
        digest.update(arrays[site].astype("<f4", copy=False).tobytes())
    return f"sha256:{digest.hexdigest()}"


def _spread(site: Site) -> str:
    return f"{SPREAD}{site}"
