"""Low-rank edits of representations (LoReFT; Wu et al., arXiv 2404.03592)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from steer.errors import Violations
from steer.store.card import Card
from steer.store.checks import Array, Shape, Tensors, check_tensors
from steer.store.kinds.base import Item, norm
from steer.types import Site


@dataclass(frozen=True, eq=False)
class LowRankTensors:
    """h + Rᵀ(W h + b - R h). ``rotation`` R and ``weight`` W: (r, d_model); ``bias`` b: (r,)."""

    rotation: Array
    weight: Array
    bias: Array


@dataclass(frozen=True, eq=False)
class LowRank(Item):
    """A low-rank edit for each site; float32."""

    name: str
    card: Card
    sites: Mapping[Site, LowRankTensors]
    content_hash: str = ""

    @classmethod
    def read(cls, name: str, card: Card, tensors: Tensors) -> Self:
        """Tensors ``rotation.<site>``, ``weight.<site>`` and ``bias.<site>``."""
        found = Violations()
        shapes: dict[str, Shape] = {}
        for site in card.sites:
            rank = tensors.rows(f"rotation.{site}")
            shapes[f"rotation.{site}"] = shapes[f"weight.{site}"] = (rank, card.d_model)
            shapes[f"bias.{site}"] = (rank,)
        # W and b may be zero: R alone takes the subspace out.
        check_tensors(tensors, shapes, found, nonzero={f"rotation.{s}" for s in card.sites})
        found.raise_if_any()
        sites = {
            site: LowRankTensors(*(tensors.arrays[f"{part}.{site}"] for part in _PARTS))
            for site in card.sites
        }
        return cls(name, card, sites, f"sha256:{card.sha256}")

    def arrays(self) -> dict[str, Array]:
        """Site by site."""
        return {
            f"{part}.{site}": getattr(self.sites[site], part)
            for site in sorted(self.sites)
            for part in _PARTS
        }

    def norms(self) -> dict[Site, float]:
        """‖W - R‖ (Frobenius): with orthonormal R that of the linear part of the change."""
        return {site: norm(part.weight - part.rotation) for site, part in self.sites.items()}


_PARTS = ("rotation", "weight", "bias")
