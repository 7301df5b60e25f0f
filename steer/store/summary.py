"""What listings show of a stored thing, from its card alone."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from steer.store.card import Card
from steer.types import Site, VectorInfo

FIELDS = tuple(
    field.name
    for field in fields(VectorInfo)
    if field.name not in ("card", "bundled", "statistics")
)
_NOT_OF_CARDS = ("name", "version", "digest", "sites", "norms")


def summary(name: str, card: Card, version: int = 0, digest: str = "") -> VectorInfo:
    """The thing as listings show it. Its card must hold what the store fills in."""
    return from_row(to_row(name, card, version, digest), card.to_dict())


def to_row(name: str, card: Card, version: int, digest: str) -> dict[str, Any]:
    """A summary without the card, as JSON values."""
    return {
        "name": name,
        "version": version,
        "digest": digest,
        "sites": list(map(str, card.sites)),
        "norms": [card.norms[site] for site in card.sites],
        **{field: getattr(card, field) for field in FIELDS if field not in _NOT_OF_CARDS},
    }


def from_row(row: Mapping[str, Any], card: Mapping[str, object] | None = None) -> VectorInfo:
    """The summary ``to_row`` made a row of."""
    sites = tuple(map(Site.parse, row["sites"]))
    return VectorInfo(**{**row, "sites": sites, "norms": tuple(row["norms"]), "card": card or {}})
