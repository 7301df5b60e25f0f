"""What the cards of an arm's vectors say of their making: on which problems, with which targets."""

from collections.abc import Mapping, Sequence

from steer import expressions
from steer.runs.evaluate.directions import operands
from steer.runs.kind import Context
from steer.store import Card
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

TARGETS, SWAPPED = "targets", "trace of another problem"
"""The parameter that says what a method was shown as right, and its value for a control."""

Used = Mapping[str, Sequence[str]]


def used_splits(arm: Arm, context: Context) -> dict[str, Used | None]:
    """By the name of each stored vector of an arm; None where its card does not say."""
    return {name: card.parameters.get(USED) for name, card in _cards(arm, context).items()}


def swapped_targets(arm: Arm, context: Context) -> bool:
    """Whether an arm's vectors were trained on the traces of other items."""
    cards = _cards(arm, context).values()
    return any(card.parameters.get(TARGETS) == SWAPPED for card in cards)


def _cards(arm: Arm, context: Context) -> dict[str, Card]:
    recipes = [context.planner.recipes.get(name) for name in arm.recipes]
    given = [item for recipe in recipes for item in recipe.interventions]
    addresses = [name for one in operands((*given, *arm.interventions)) for name in stored(one)]
    return {item.name: item.card for item in map(context.store.get, addresses)}


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
