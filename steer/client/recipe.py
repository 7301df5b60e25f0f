"""A recipe: interventions of one arm, checked when made, composable."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

from steer import wire
from steer.client.checked import check
from steer.client.sites import as_site
from steer.client.where import Conditions, WhereLike, where
from steer.errors import InvalidRequest
from steer.types import Add, Gate, Intervention, Point, Rotate, StoredRecipe


@dataclass(frozen=True, slots=True)
class Recipe:
    """Interventions of one arm, in order. Every method returns a new recipe; ``+`` joins two.

    ``name``, ``description`` and ``content_hash`` are of a recipe that a server keeps or a file
    holds; what is made from it has none of them.
    """

    interventions: tuple[Intervention, ...]
    name: str = field(default="", kw_only=True)
    description: str = field(default="", kw_only=True)
    content_hash: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        for intervention in self.interventions:
            check(intervention, wire.build_intervention, wire.parse_intervention)

    def __add__(self, other: "Recipe") -> "Recipe":
        return Recipe(self.interventions + other.interventions)

    def __neg__(self) -> "Recipe":
        return self._each(_negated)

    def at(self, layers: int | Iterable[int], point: str = Point.RESID_POST) -> "Recipe":
        """At these layers (0-based) and this point instead."""
        given = [layers] if isinstance(layers, int) else layers
        sites = tuple(as_site(layer, point) for layer in given)
        return self._each(lambda one: replace(one, sites=sites))

    def where(self, phase: WhereLike | None = None, **conditions: Unpack[Conditions]) -> "Recipe":
        """At these tokens instead; arguments as of ``steer.where``."""
        chosen = where(phase, **conditions)
        return self._each(lambda one: replace(one, where=chosen))

    def when(self, gate: Gate) -> "Recipe":
        """Only when this gate is open: ``steer.cosine``, ``steer.probe`` or ``steer.active``."""
        if not isinstance(gate, Gate):
            raise InvalidRequest(f"{gate!r} is no gate; a phase goes into .where(…)")
        return self._each(lambda one: replace(one, gate=gate))

    def to_json(self) -> str:
        """The JSON of ``steer.v1.Recipe``, in the standard mapping of protobuf, so that programs
        in any language can read it. Raises InvalidRequest when there is no intervention."""
        stored = check(self.stored(), wire.build_recipe, wire.parse_recipe)
        return wire.recipe_to_json(stored)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read what ``to_json``, or another program, wrote.

        Raises InvalidRequest with the path of every field that is unknown or wrong.
        """
        return cls.of(wire.recipe_from_json(text))

    def save(self, path: str | Path) -> None:
        """Write the JSON to a file."""
        Path(path).write_text(self.to_json(), "utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "Recipe":
        """Read a file of JSON. Raises InvalidRequest as ``from_json`` does."""
        try:
            text = Path(path).read_text("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"{path} is not UTF-8 text: {error}") from None
        return cls.from_json(text)

    def stored(self) -> StoredRecipe:
        """The same as the wire has it."""
        return StoredRecipe(self.name, self.interventions, self.description, self.content_hash)

    @classmethod
    def of(cls, stored: StoredRecipe) -> "Recipe":
        """The recipe that the wire has."""
        return cls(
            stored.interventions,
            name=stored.name,
            description=stored.description,
            content_hash=stored.content_hash,
        )

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
            f"{given!r} is no treatment; give a recipe such as steer.add(name), or "
            "steer.arm(stored=name) for one that the server keeps"
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
