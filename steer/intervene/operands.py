"""Operands: from what a caller names to float32 directions by site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from steer import expressions
from steer.errors import FailedPrecondition, NotFound, SteerError, Violations
from steer.store import Card, ClassStatistics, Item, Store, Vector
from steer.store.algebra import evaluate
from steer.types import (
    Expression,
    Inline,
    Operand,
    OrthogonalTo,
    Point,
    RandomLike,
    Site,
    Stored,
    WithinClass,
)
from steer.types.operand import LARGEST

Array = NDArray[np.float32]
Kind = TypeVar("Kind", bound=Item)

ANYWHERE = None
"""Key of a direction that came without a site."""


@dataclass(frozen=True)
class Directions:
    """A resolved operand: directions by site (``ANYWHERE`` for one without), in words, card.

    ``classes``: what is within the classes it was made from, where that is known.
    """

    arrays: Mapping[Site | None, Array]
    described: str
    card: Card | None = None
    classes: Mapping[Site, ClassStatistics] = field(default_factory=dict)

    @property
    def own_sites(self) -> tuple[Site, ...]:
        """The sites it has directions for."""
        return tuple(site for site in self.arrays if site is not ANYWHERE)


@dataclass
class OperandResolver:
    """Resolves operands against a store and a model, and collects what is wrong with them.

    A name means the same item as long as there is the resolver, whatever is stored meanwhile.
    """

    store: Store
    d_model: int
    fingerprint: str
    allow_mismatch: bool
    violations: Violations = field(default_factory=Violations)
    _found: dict[str, Item] = field(default_factory=dict)

    def resolve(self, operand: Operand, path: str) -> Directions | None:
        """The operand's directions; None when something was wrong (see ``violations``)."""
        match operand:
            case Stored():
                return self._stored(operand, f"{path}.vector")
            case Inline():
                return self._inline(operand, f"{path}.inline")
            case RandomLike():
                return self._random_like(operand, f"{path}.random_like")
            case OrthogonalTo():
                return self._orthogonal(operand, f"{path}.orthogonal_to")
            case WithinClass():
                return self._within_class(operand, f"{path}.within_class")
            case Expression():
                return self._expression(operand, f"{path}.expression")

    def item(self, name: str, kind: type[Kind], wanted: str, path: str) -> Kind | None:
        """A stored item of a kind (``wanted``, in words) that fits the model; None otherwise."""
        try:
            item = self._found[name] = self._found.get(name) or self.store.get(name)
        except SteerError as error:
            self.violations.add(path, error.reason, error.message, type(error))
            return None
        card = item.card
        if not isinstance(item, kind):
            message = f"{name!r} is a {item.kind}, this takes a {wanted}"
            self.violations.add(path, "WRONG_KIND", message, FailedPrecondition)
            return None
        if card.d_model != self.d_model:
            message = f"{name!r} has width {card.d_model}, the model has {self.d_model}"
            self.violations.add(path, "WIDTH_MISMATCH", message, FailedPrecondition)
            return None
        if not self.made_here(card) and not self.allow_mismatch:
            message = (
                f"{name!r} was made for {card.model} ({card.fingerprint}), served is "
                f"{self.fingerprint}; set allow_model_mismatch to use it all the same"
            )
            self.violations.add(path, "MODEL_MISMATCH", message, FailedPrecondition)
            return None
        return item

    def made_here(self, card: Card) -> bool:
        """Whether a card is about the model that is served."""
        return card.fingerprint == self.fingerprint

    def _stored(self, operand: Stored, path: str) -> Directions | None:
        vector = self.item(operand.name, Vector, "direction", path)
        if vector is None:
            return None
        card = vector.card if self.made_here(vector.card) else None
        arrays: dict[Site | None, Array] = {site: array for site, array in vector.tensors.items()}
        return Directions(arrays, operand.name, card, vector.classes)

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
            elif norm(array) > LARGEST:
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
        described = f"random_like({of.described}, seed={operand.seed})"
        return Directions(arrays, described, of.card, of.classes)

    def _within_class(self, operand: WithinClass, path: str) -> Directions | None:
        of = self.resolve(operand.of, f"{path}.of")
        if of is None:
            return None
        draw = shuffle_like if operand.stratified else spread_like
        arrays: dict[Site | None, Array] = {}
        missing = []
        for site, array in of.arrays.items():
            within = None if site is None else of.classes.get(site)
            drawn = None if within is None else draw(operand.seed, site, norm(array), within)
            if drawn is None:
                missing.append(str(site))
            else:
                arrays[site] = drawn
        kind = "stratified" if operand.stratified else "within_class"
        if missing:
            what = f"stratified shuffle {operand.seed}" if operand.stratified else "covariance"
            message = (
                f"{of.described} has no within-class {what} at {', '.join(missing)}; "
                "it would be stored with the vector; use random_like"
            )
            self.violations.add(f"{path}.of", "NO_WITHIN_CLASS", message, FailedPrecondition)
            return None
        described = f"{kind}({of.described}, seed={operand.seed})"
        return Directions(arrays, described, of.card, of.classes)

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
        described = f"orthogonal_to({of.described}, {to.described})"
        return Directions(arrays, described, of.card, of.classes)

    def _expression(self, operand: Expression, path: str) -> Directions | None:
        try:
            node = expressions.parse(operand.text)
            items = {
                name: self.item(name, Vector, "direction", f"{path}[{name}]")
                for name in expressions.names(node)
            }
            vectors = {name: item for name, item in items.items() if item is not None}
            if len(vectors) < len(items):
                return None
            found = evaluate(node, {name: item.tensors for name, item in vectors.items()})
        except SteerError as error:
            self.violations.add(path, error.reason, error.message, type(error))
            return None
        first = next(iter(vectors.values())).card
        card = first if self.made_here(first) else None
        arrays: dict[Site | None, Array] = {site: array for site, array in found.items()}
        return Directions(arrays, operand.text, card)


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


def unit(array: Array) -> Array:
    """v̂ = v/‖v‖, the norm taken in float64."""
    return np.asarray(array.astype(np.float64) / norm(array), np.float32)


def isotropic(seed: int, site: Site | None, norm: float, d_model: int) -> Array:
    """A direction drawn uniformly from the sphere of radius ``norm``; shape (d_model,).

    Counter-based: the same (seed, site, width) gives the same direction on every machine.
    """
    draw = _normals(seed, site, d_model)
    return np.asarray(draw * (norm / np.linalg.norm(draw)), np.float32)


def spread_like(seed: int, site: Site | None, norm: float, within: ClassStatistics) -> Array | None:
    """A draw from the normal distribution with the covariance within classes, scaled to ``norm``;
    (d_model,). None where no covariance is known. Counter-based, as ``isotropic`` is."""
    draw = _normals(seed, site, len(within.factor)) @ within.factor.astype(np.float64)
    return _scaled(draw, norm)


def shuffle_like(
    seed: int, site: Site | None, norm: float, within: ClassStatistics
) -> Array | None:
    """The ``seed``-th stratified shuffle, scaled to ``norm``; (d_model,). None where there is none
    of that number; its number is the same relabelling at every ``site`` of a vector."""
    return _scaled(within.shuffles[seed], norm) if seed < len(within.shuffles) else None


def _scaled(draw: NDArray[np.floating], norm: float) -> Array | None:
    size = np.linalg.norm(draw.astype(np.float64))
    return np.asarray(draw * (norm / size), np.float32) if size else None


def _normals(seed: int, site: Site | None, count: int) -> NDArray[np.float64]:
    place = 0 if site is None else 1 + site.layer * len(Point) + list(Point).index(site.point)
    key = np.array([seed, place], np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).standard_normal(count)
