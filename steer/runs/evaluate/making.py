"""What the cards of an arm's stored things say of their making: on which problems, with which
targets."""

from steer.runs.kind import Context
from steer.runs.pins import named
from steer.store import Card
from steer.store.used import Used
from steer.store.used import used_splits as used_by
from steer.types import Arm

TARGETS, SWAPPED = "targets", "trace of another problem"
"""The parameter that says what a method was shown as right, and its value for a control."""


def used_splits(arm: Arm, context: Context) -> dict[str, Used | None]:
    """By the name of each stored thing in an arm, what decides its gates included; None where the
    card does not say."""
    return {name: used_by(card) for name, card in _cards(arm, context).items()}


def swapped_targets(arm: Arm, context: Context) -> bool:
    """Whether an arm's vectors were trained on the traces of other items."""
    cards = _cards(arm, context).values()
    return any(card.parameters.get(TARGETS) == SWAPPED for card in cards)


def _cards(arm: Arm, context: Context) -> dict[str, Card]:
    recipes = [context.planner.recipes.get(name) for name in arm.recipes]
    given = [item for recipe in recipes for item in recipe.interventions]
    items = map(context.store.get, named((*given, *arm.interventions)))
    return {item.name: item.card for item in items}
