"""A recipe: interventions of one arm, checked when made, composable."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from steer.client.checked import check, member
from steer.errors import InvalidRequest
from steer.types import Add, Gate, Intervention, Phase, Point, Rotate, Site, Where


@dataclass(frozen=True, slots=True)
class Recipe:
    """Interventions of one arm, in order. Every method returns a new recipe; ``+`` joins two."""

    interventions: tuple[Intervention, ...]

    def __post_init__(self) -> None:
        for intervention in self.interventions:
            check(intervention)

    def __add__(self, other: "Recipe") -> "Recipe":
        return Recipe(self.interventions + other.interventions)

    def __neg__(self) -> "Recipe":
        return self._each(_negated)

    def at(self, layers: int | Iterable[int], point: str = Point.RESID_POST) -> "Recipe":
        """At these layers (0-based) and this point instead."""
        given = [layers] if isinstance(layers, int) else layers
        sites = tuple(Site(layer, member(Point, point)) for layer in given)
        return self._each(lambda one: replace(one, sites=sites))

    def when(self, phase: str, **conditions: Any) -> "Recipe":
        """In this phase, under these further conditions (fields of ``steer.Where``)."""
        return self.where(Where(member(Phase, phase), **conditions))

    def where(self, where: Where) -> "Recipe":
        """At these tokens."""
        return self._each(lambda one: replace(one, where=where))

    def gated(self, gate: Gate) -> "Recipe":
        """Only when the gate is open."""
        return self._each(lambda one: replace(one, gate=gate))

    def _each(self, change: Callable[[Intervention], Intervention]) -> "Recipe":
        return Recipe(tuple(map(change, self.interventions)))


def interventions_of(given: Recipe | Intervention | Iterable[Any]) -> tuple[Intervention, ...]:
    """The interventions in a recipe, or in several. Raises InvalidRequest for anything else."""
    if isinstance(given, Recipe):
        return given.interventions
    if isinstance(given, Intervention):
        return (given,)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidRequest(
            f"{given!r} is no treatment; give a recipe such as steer.add(name), or steer.arm(…)"
        )
    return tuple(one for item in given for one in interventions_of(item))


def _negated(intervention: Intervention) -> Intervention:
    op, strength = intervention.op, intervention.strength
    if isinstance(op, Rotate):
        return replace(intervention, op=replace(op, degrees=-op.degrees))
    if not isinstance(op, Add):
        raise InvalidRequest(f"the op {op.name} has no negative; negate add or rotate")
    if strength is None:
        raise InvalidRequest("say the strength of what is negated; now its card decides it")
    return replace(intervention, strength=replace(strength, value=-strength.value))
