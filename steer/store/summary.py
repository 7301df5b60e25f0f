"""What listings show of a stored thing, from its card alone."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from steer.store.card import Card
from steer.types import Site, VectorInfo

FIELDS = tuple(field.name for field in fields(VectorInfo) if field.name != "card")


def summary(name: str, card: Card) -> VectorInfo:
    """The thing as listings show it. Its card must hold what the store fills in."""
    return from_row(to_row(name, card), card.to_dict())


def to_row(name: str, card: Card) -> dict[str, Any]:
    """A summary without the card, as JSON values."""
    own = {"name": name, "sites": list(map(str, card.sites))}
    norms = [card.norms[site] for site in card.sites]
    taken = (field for field in FIELDS if field not in ("name", "sites", "norms"))
    return own | {"norms": norms} | {field: getattr(card, field) for field in taken}


def from_row(row: Mapping[str, Any], card: Mapping[str, object] | None = None) -> VectorInfo:
    """The summary ``to_row`` made a row of."""
    sites = tuple(map(Site.parse, row["sites"]))
    return VectorInfo(**{**row, "sites": sites, "norms": tuple(row["norms"]), "card": card or {}})
