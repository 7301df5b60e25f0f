"""What controls are made from: the directions of an arm, other directions in their place."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from steer.errors import Violations
from steer.intervene.operands import Directions, OperandResolver, pick
from steer.intervene.resolve import strength_of
from steer.runs.kind import Context
from steer.store import ClassStatistics
from steer.types import Intervention, Operand, Strength, operand_of, redirected


@dataclass(frozen=True)
class Sources:
    """Looks up the operands of interventions. Raises what the planner would."""

    context: Context
    allow_mismatch: bool

    def directions(self, operand: Operand) -> Directions:
        """The operand's directions by site."""
        found = Violations()
        model = self.context.model
        resolver = OperandResolver(
            self.context.store, model.d_model, model.fingerprint, self.allow_mismatch, found
        )
        directions = resolver.resolve(operand, "operand")
        found.raise_if_any()
        assert directions is not None
        return directions

    def explicit(self, item: Intervention) -> Intervention:
        """The same with the strength said that its vector's card decides."""
        operand = operand_of(item.op)
        card = None if operand is None else self.directions(operand).card
        return replace(item, strength=strength_of(item, card))

    def within(self, items: Sequence[Intervention]) -> list[ClassStatistics]:
        """What is within the classes that every direction was made from, at every site; empty where
        one has no such statistics."""
        found: list[ClassStatistics] = []
        for directions in map(self.directions, operands(items)):
            if not directions.own_sites or not directions.classes.keys() >= {*directions.own_sites}:
                return []
            found += [directions.classes[site] for site in directions.own_sites]
        return found

    def cosines(
        self, items: Sequence[Intervention], others: Sequence[Intervention]
    ) -> Mapping[str, float]:
        """Cosine of what each of ``others`` adds to what the same one of ``items`` does, by site;
        where several act at one, the largest in size."""
        found: dict[str, float] = {}
        for item, other in zip(items, others, strict=True):
            for site, cosine in self._cosines(item, other).items():
                if abs(cosine) >= abs(found.get(site, 0.0)):
                    found[site] = cosine
        return found

    def _cosines(self, item: Intervention, other: Intervention) -> Mapping[str, float]:
        mine, theirs = operand_of(item.op), operand_of(other.op)
        if mine is None or theirs is None:
            return {}
        of, to = self.directions(mine), self.directions(theirs)
        flipped = math.copysign(1.0, _value(item) * _value(other))
        found = {}
        for site in item.sites or of.own_sites:
            u, v = pick(of, site), pick(to, site)
            if u is not None and v is not None:
                a, b = u.astype(np.float64), v.astype(np.float64)
                cosine = float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
                found[str(site)] = flipped * max(-1.0, min(1.0, cosine))
        return found


def operands(items: Sequence[Intervention]) -> list[Operand]:
    """The directions of several interventions."""
    return [operand for item in items if (operand := operand_of(item.op)) is not None]


def wrapped(
    items: Sequence[Intervention], wrap: Callable[[Operand, int], Operand]
) -> tuple[Intervention, ...]:
    """The interventions with ``wrap(operand, place)`` in the place of every operand."""

    def changed(place: int, item: Intervention) -> Intervention:
        return replace(item, op=redirected(item.op, lambda operand: wrap(operand, place)))

    return tuple(changed(place, item) for place, item in enumerate(items))


def scaled(items: Sequence[Intervention], factor: float) -> tuple[Intervention, ...]:
    """The interventions, whose strengths are explicit, at ``factor`` times their strength."""
    changed = []
    for item in items:
        given = item.strength or Strength()
        changed.append(replace(item, strength=replace(given, value=factor * given.value)))
    return tuple(changed)


def _value(item: Intervention) -> float:
    return 1.0 if item.strength is None else item.strength.value
