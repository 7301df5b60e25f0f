"""Linear probes: what a gate or a measurement reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from steer.errors import Violations
from steer.store.card import Card
from steer.store.checks import Array, Shape, Tensors, check_tensors
from steer.store.kinds.base import Item, norm
from steer.types import Site


@dataclass(frozen=True, eq=False)
class ProbeTensors:
    """sigmoid(w·h + b) is the probability. ``weight`` w: (d_model,); ``bias`` b: (1,)."""

    weight: Array
    bias: Array


@dataclass(frozen=True, eq=False)
class Probe(Item):
    """A probe for each site; float32."""

    name: str
    card: Card
    sites: Mapping[Site, ProbeTensors]
    content_hash: str = ""

    @classmethod
    def read(cls, name: str, card: Card, tensors: Tensors) -> Self:
        """Tensors ``weight.<site>`` and ``bias.<site>``."""
        found = Violations()
        weights: dict[str, Shape] = {f"weight.{site}": (card.d_model,) for site in card.sites}
        biases: dict[str, Shape] = {f"bias.{site}": (1,) for site in card.sites}
        check_tensors(tensors, weights | biases, found, nonzero=weights)
        found.raise_if_any()
        sites = {
            site: ProbeTensors(*(tensors.arrays[f"{part}.{site}"] for part in _PARTS))
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
        """‖w‖."""
        return {site: norm(tensors.weight) for site, tensors in self.sites.items()}


_PARTS = ("weight", "bias")
