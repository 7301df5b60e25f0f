"""Directions: what most methods of steering make."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from steer.errors import Violations
from steer.store.card import Card
from steer.store.checks import Array, Shape, Tensors, check_tensors
from steer.store.kinds.base import Item, norm
from steer.types import Site

WITHIN = {"within_class": "factor", "stratified": "shuffles"}
"""Tensors of a site beside its direction: what their names begin with, and the field."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassStatistics:
    """What is within the classes a direction was made from, at one site; float32.

    ``factor``: F of shape (rank, d_model) with Σ = FᵀF the covariance: rows are centred activations
    over sqrt(n - classes), or the leading principal ones scaled by their standard deviation. z·F
    with z standard normal of length rank is a draw from it. ``shuffles``: (n, d_model), differences
    of means between labels shuffled inside the classes. Each is without rows where there is none.
    """

    factor: Array
    shuffles: Array


@dataclass(frozen=True, eq=False)
class Vector(Item):
    """One direction of shape (d_model,) for each site; float32.

    ``classes``: at some of the sites, what is within the classes the direction was made from.
    """

    name: str
    tensors: Mapping[Site, Array]
    card: Card
    content_hash: str = ""
    classes: Mapping[Site, ClassStatistics] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, card: Card, tensors: Tensors) -> Self:
        """Tensors ``<site>``, and those of ``WITHIN`` where they are."""
        found = Violations()
        main: dict[str, Shape] = {str(site): (card.d_model,) for site in card.sites}
        optional = tuple(_key(what, site) for what in WITHIN for site in card.sites)
        shapes = main | {key: (tensors.rows(key), card.d_model) for key in optional}
        check_tensors(tensors, shapes, found, nonzero=shapes, optional=optional)
        found.raise_if_any()
        arrays = tensors.arrays
        directions = {site: arrays[str(site)] for site in card.sites}
        none = np.zeros((0, card.d_model), np.float32)
        classes = {
            site: ClassStatistics(
                **{field: arrays.get(_key(what, site), none) for what, field in WITHIN.items()}
            )
            for site in card.sites
            if any(_key(what, site) in arrays for what in WITHIN)
        }
        return cls(name, directions, card, content_hash(directions), classes)

    def arrays(self) -> dict[str, Array]:
        """Directions in the order of their sites, then what is within their classes."""
        main = {str(site): self.tensors[site] for site in sorted(self.tensors)}
        return main | {
            _key(what, site): array
            for site in sorted(self.classes)
            for what, field in WITHIN.items()
            if len(array := getattr(self.classes[site], field))
        }

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


def _key(what: str, site: Site) -> str:
    return f"{what}.{site}"
