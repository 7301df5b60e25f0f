"""What an op works with, as the sites ask for it: directions, low ranks, latents, captures.

A material knows its own sites and makes the edit of one site from a coefficient. No torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from steer.intervene.captures import Captured
from steer.intervene.operands import Array, Directions, norm, pick, unit
from steer.intervene.plan import Component, Edit
from steer.store import Card, Dictionary, LowRank, content_hash
from steer.types import FeatureEdit, FeatureMode, Site


class Material(Protocol):
    """``card``: the card to take defaults from, None when it is about another model."""

    @property
    def described(self) -> str:
        """The operand in words."""

    @property
    def card(self) -> Card | None:
        """Whose defaults hold."""

    @property
    def own_sites(self) -> tuple[Site, ...]:
        """Where it acts unless told."""

    def fits(self, site: Site) -> bool:
        """Whether it can act there."""

    def content(self, sites: tuple[Site, ...]) -> str:
        """Hash of what is used at these sites."""

    def norm(self, site: Site) -> float:
        """‖v‖ there, which a relative strength divides by."""

    def edit(self, site: Site, coefficient: float) -> Edit:
        """What is done at one site."""


@dataclass(frozen=True)
class DirectionMaterial:
    """Directions for add, project, rotate and replace. ``numbers`` follow the coefficient, which
    is ``scale`` times what is asked."""

    directions: Directions
    normed: bool = False
    scale: float = 1.0
    numbers: tuple[float, ...] = ()

    @property
    def described(self) -> str:
        return self.directions.described

    @property
    def card(self) -> Card | None:
        return self.directions.card

    @property
    def own_sites(self) -> tuple[Site, ...]:
        return self.directions.own_sites

    def fits(self, site: Site) -> bool:
        return pick(self.directions, site) is not None

    def content(self, sites: tuple[Site, ...]) -> str:
        return content_hash({site: self._array(site) for site in sites})

    def norm(self, site: Site) -> float:
        return norm(self._array(site))

    def edit(self, site: Site, coefficient: float) -> Edit:
        array = unit(self._array(site)) if self.normed else self._array(site)
        params = (self.scale * coefficient, *self.numbers)
        key = f"{self.content((site,))}/{self.normed}"
        return Edit(site, (Component(key, array[None], params),))

    def _array(self, site: Site) -> Array:
        array = pick(self.directions, site)
        assert array is not None
        return array


@dataclass(frozen=True)
class LowRankMaterial:
    """A stored low-rank edit; one component for each rank."""

    item: LowRank
    card: Card | None

    @property
    def described(self) -> str:
        return self.item.name

    @property
    def own_sites(self) -> tuple[Site, ...]:
        return self.item.card.sites

    def fits(self, site: Site) -> bool:
        return site in self.item.sites

    def content(self, sites: tuple[Site, ...]) -> str:
        return self.item.content_hash

    def norm(self, site: Site) -> float:
        return self.item.norms()[site]

    def edit(self, site: Site, coefficient: float) -> Edit:
        tensors = self.item.sites[site]
        reads = tensors.weight - tensors.rotation
        return Edit(
            site,
            tuple(
                Component(
                    f"{self.item.content_hash}/{site}/{rank}",
                    np.stack([reads[rank], tensors.rotation[rank]]),
                    (coefficient, float(tensors.bias[rank])),
                )
                for rank in range(len(tensors.bias))
            ),
        )


@dataclass(frozen=True)
class FeatureMaterial:
    """Latents of a dictionary and their targets; one component for each latent."""

    dictionary: Dictionary
    edits: tuple[FeatureEdit, ...]
    card: Card | None

    @property
    def described(self) -> str:
        chosen = ", ".join(f"{edit.index} {edit.mode.value} {edit.value:g}" for edit in self.edits)
        return f"{self.dictionary.name}[{chosen}]"

    @property
    def own_sites(self) -> tuple[Site, ...]:
        return (self.dictionary.site,)

    def fits(self, site: Site) -> bool:
        return site == self.dictionary.site

    def content(self, sites: tuple[Site, ...]) -> str:
        return self.dictionary.content_hash

    def norm(self, site: Site) -> float:
        return self.dictionary.norms()[site]

    def edit(self, site: Site, coefficient: float) -> Edit:
        indices = tuple(edit.index for edit in self.edits)
        rows = self.dictionary.features(indices)
        numbers = zip(
            rows.gate_bias,
            rows.magnitude_scale,
            rows.magnitude_bias,
            rows.threshold,
            strict=True,
        )
        components = tuple(
            Component(
                f"{self.dictionary.content_hash}/{edit.index}",
                np.stack([rows.encoder[place], rows.decoder[place]]),
                (coefficient, *_target(edit), *map(float, given)),
            )
            for place, (edit, given) in enumerate(zip(self.edits, numbers, strict=True))
        )
        return Edit(site, components, dictionary=self.dictionary, latents=indices)


@dataclass(frozen=True)
class CapturedMaterial:
    """Activations of a row. ``position``: the one to take everywhere; None takes each at its own
    place."""

    described: str
    captured: Captured
    position: int | None
    fraction: float
    card: Card | None = None

    @property
    def own_sites(self) -> tuple[Site, ...]:
        return tuple(self.captured.activations)

    def fits(self, site: Site) -> bool:
        return site in self.captured.activations

    def content(self, sites: tuple[Site, ...]) -> str:
        activations = self.captured.activations
        return content_hash({site: activations[site][1].reshape(-1) for site in sites})

    def norm(self, site: Site) -> float:
        return norm(self.captured.activations[site][1])

    def edit(self, site: Site, coefficient: float) -> Edit:
        positions, values = self.captured.activations[site]
        if self.position is not None:
            chosen = positions.index(self.position)
            positions, values = (self.position,), values[chosen : chosen + 1]
        components = tuple(
            Component(content_hash({site: row}), row[None], (coefficient * self.fraction,))
            for row in values
        )
        return Edit(site, components, None if self.position is not None else positions)


def _target(edit: FeatureEdit) -> tuple[float, float]:
    """α and β of the change t - a = α + β·a."""
    return _TARGETS[edit.mode](edit.value)


_TARGETS: Mapping[FeatureMode, Callable[[float], tuple[float, float]]] = {
    FeatureMode.SET: lambda value: (value, -1.0),
    FeatureMode.SCALE: lambda value: (0.0, value - 1.0),
    FeatureMode.ADD: lambda value: (value, 0.0),
}
