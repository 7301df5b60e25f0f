"""On which problems a stored thing was trained or chosen, by its card."""

from collections.abc import Iterable, Mapping

from steer.store.card import Card

USED = "used_splits"
"""The parameter of a card's method: splits by the name of their task, ``{"a1": ["train"]}``."""

Used = Mapping[str, list[str]]


def used_splits(card: Card) -> Used | None:
    """Splits by task; None where the card does not say, or says something else under that name."""
    told = card.parameters.get(USED)
    if not isinstance(told, Mapping):
        return None
    if not all(isinstance(splits, list | tuple) for splits in told.values()):
        return None
    return {task: [*map(str, splits)] for task, splits in told.items()}


def used_by_all(cards: Iterable[Card]) -> Used | None:
    """Of several together; None where one of them does not say."""
    found: dict[str, dict[str, None]] = {}
    for card in cards:
        used = used_splits(card)
        if used is None:
            return None
        for task, splits in used.items():
            found.setdefault(task, {}).update(dict.fromkeys(splits))
    return {task: [*splits] for task, splits in found.items()}
