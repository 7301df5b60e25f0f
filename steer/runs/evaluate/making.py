"""Which splits of which tasks vectors were trained or chosen on, as their cards say."""

from collections.abc import Mapping, Sequence

from steer import expressions
from steer.runs.evaluate.directions import operands
from steer.runs.kind import Context
from steer.types import (
    Arm,
    Expression,
    Operand,
    OrthogonalTo,
    RandomLike,
    Stored,
    WithinClass,
)

USED = "used_splits"
"""The parameter of a card's method: splits by the name of their task, ``{"a1": ["train"]}``."""

Used = Mapping[str, Sequence[str]]


def used_splits(arm: Arm, context: Context) -> dict[str, Used | None]:
    """By the name of each stored vector of an arm; None where its card does not say."""
    recipes = [context.planner.recipes.get(name) for name in arm.recipes]
    given = [item for recipe in recipes for item in recipe.interventions]
    names = [name for one in operands((*given, *arm.interventions)) for name in stored(one)]
    return {name: context.store.get(name).card.parameters.get(USED) for name in names}


def stored(operand: Operand) -> tuple[str, ...]:
    """The stored vectors an operand is made from."""
    match operand:
        case Stored(name):
            return (name,)
        case RandomLike(of) | WithinClass(of):
            return stored(of)
        case OrthogonalTo(of, to):
            return (*stored(of), *stored(to))
        case Expression(text):
            return tuple(expressions.names(expressions.parse(text)))
        case _:
            return ()
