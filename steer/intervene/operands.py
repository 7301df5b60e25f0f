"""Operands: from what a caller names to float32 directions by site."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steer.errors import FailedPrecondition, NotFound, NotImplementedYet, SteerError, Violations
from steer.store import Card, Store
from steer.types import Inline, Operand, OrthogonalTo, Point, RandomLike, Site, Stored

Array = NDArray[np.float32]

ANYWHERE = None
"""Key of a direction that came without a site."""


@dataclass(frozen=True)
class Directions:
    """A resolved operand: directions by site (``ANYWHERE`` for one without), in words, card."""

    arrays: Mapping[Site | None, Array]
    described: str
    card: Card | None = None


@dataclass
class OperandResolver:
    """Resolves operands against a store and a model, and collects what is wrong with them."""

    store: Store
    d_model: int
    fingerprint: str
    allow_mismatch: bool
    violations: Violations = field(default_factory=Violations)

    def resolve(self, operand: Operand, path: str) -> Directions | None:
        """The operand's directions; None when something was wrong (see ``violations``)."""
        if isinstance(operand, Stored):
            return self._stored(operand, f"{path}.vector")
        if isinstance(operand, Inline):
            return self._inline(operand, f"{path}.inline")
        if isinstance(operand, RandomLike):
            return self._random_like(operand, f"{path}.random_like")
        if isinstance(operand, OrthogonalTo):
            return self._orthogonal(operand, f"{path}.orthogonal_to")
        self.violations.add(
            f"{path}.within_class",
            "NOT_IMPLEMENTED",
            "within-class nulls are not implemented yet; use random_like",
            NotImplementedYet,
        )
        return None

    def _stored(self, operand: Stored, path: str) -> Directions | None:
        try:
            vector = self.store.get(operand.name)
        except SteerError as error:
            self.violations.add(path, error.reason, error.message, type(error))
            return None
        card = vector.card
        if card.d_model != self.d_model:
            message = f"{operand.name!r} has width {card.d_model}, the model has {self.d_model}"
            self.violations.add(path, "WIDTH_MISMATCH", message, FailedPrecondition)
            return None
        if card.fingerprint != self.fingerprint and not self.allow_mismatch:
            message = (
                f"{operand.name!r} was made for {card.model} ({card.fingerprint}), served is "
                f"{self.fingerprint}; set allow_model_mismatch to use it all the same"
            )
            self.violations.add(path, "MODEL_MISMATCH", message, FailedPrecondition)
            return None
        same_model = card.fingerprint == self.fingerprint
        arrays: dict[Site | None, Array] = {site: array for site, array in vector.tensors.items()}
        return Directions(arrays, operand.name, card if same_model else None)

    def _inline(self, operand: Inline, path: str) -> Directions | None:
        arrays: dict[Site | None, Array] = {}
        if self.violations.under(path):
            return None
        for index, direction in enumerate(operand.directions):
            array = np.frombuffer(direction.data, "<f4").astype(np.float32)
            at = f"{path}.directions[{index}]"
            if array.shape != (self.d_model,):
                message = f"has {array.size} numbers, the model's width is {self.d_model}"
                self.violations.add(at, "WIDTH_MISMATCH", message, FailedPrecondition)
            elif not array.any():
                self.violations.add(at, "ZERO_VECTOR", "is all zero: it can not do anything")
            elif norm(array) > float(np.finfo(np.float32).max):
                self.violations.add(at, "TOO_LARGE", "its norm is beyond float32; scale it down")
            elif direction.site in arrays:
                self.violations.add(at, "DUPLICATE_SITE", f"second direction at {direction.site}")
            else:
                arrays[direction.site] = array
        return Directions(arrays, "inline") if len(arrays) == len(operand.directions) else None

    def _random_like(self, operand: RandomLike, path: str) -> Directions | None:
        of = self.resolve(operand.of, f"{path}.of")
        if of is None:
            return None
        arrays = {
            site: isotropic(operand.seed, site, norm(array), self.d_model)
            for site, array in of.arrays.items()
        }
        return Directions(arrays, f"random_like({of.described}, seed={operand.seed})", of.card)

    def _orthogonal(self, operand: OrthogonalTo, path: str) -> Directions | None:
        of = self.resolve(operand.of, f"{path}.of")
        to = self.resolve(operand.to, f"{path}.to")
        if of is None or to is None:
            return None
        arrays: dict[Site | None, Array] = {}
        for site, array in of.arrays.items():
            other = pick(to, site)
            rest = None if other is None else reject(array, other)
            if rest is None:
                message = f"has no direction at {site}"
                self.violations.add(f"{path}.to", "SITE_MISSING", message, NotFound)
                return None
            if not norm(rest) > 1e-6 * norm(array):
                self.violations.add(path, "ZERO_VECTOR", "the two operands are parallel")
                return None
            arrays[site] = rest
        return Directions(arrays, f"orthogonal_to({of.described}, {to.described})", of.card)


def pick(directions: Directions, site: Site | None) -> Array | None:
    """The direction to use at ``site``: its own, or the only one there is."""
    if site in directions.arrays:
        return directions.arrays[site]
    return next(iter(directions.arrays.values())) if len(directions.arrays) == 1 else None


def norm(array: Array) -> float:
    """‖v‖ in float64: squares of the smallest float32 numbers are zero in float32."""
    return float(np.linalg.norm(array.astype(np.float64)))


def reject(v: Array, away: Array) -> Array:
    """v without its component along ``away``. Shapes (d_model,)."""
    unit = away.astype(np.float64) / np.linalg.norm(away.astype(np.float64))
    return np.asarray(v - (v @ unit) * unit, np.float32)


def isotropic(seed: int, site: Site | None, norm: float, d_model: int) -> Array:
    """A direction drawn uniformly from the sphere of radius ``norm``; shape (d_model,).

    Counter-based: the same (seed, site, width) gives the same direction on every machine.
    """
    place = 0 if site is None else 1 + site.layer * len(Point) + list(Point).index(site.point)
    key = np.array([seed, place], np.uint64)
    draw = np.random.Generator(np.random.Philox(key=key)).standard_normal(d_model)
    return np.asarray(draw * (norm / np.linalg.norm(draw)), np.float32)
