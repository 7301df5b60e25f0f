"""What listings show of a stored thing, from its card alone."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from steer.store.card import Card
from steer.types import Site, VectorInfo


def summary(name: str, card: Card) -> VectorInfo:
    """The thing as listings show it. Its card must hold what the store fills in."""
    return VectorInfo(
        name=name,
        content_hash=card.content_hash,
        kind=card.kind,
        description=card.description,
        model=card.model,
        fingerprint=card.fingerprint,
        d_model=card.d_model,
        sites=card.sites,
        norms=tuple(card.norms[site] for site in card.sites),
        method=card.method,
        licence=card.licence,
        created=card.created,
        card=card.to_dict(),
    )


def to_row(info: VectorInfo) -> dict[str, Any]:
    """Plain JSON values, without the card."""
    return asdict(info) | {"sites": [str(site) for site in info.sites], "card": {}}


def from_row(row: Mapping[str, Any]) -> VectorInfo:
    """What ``to_row`` made."""
    sites = tuple(Site.parse(site) for site in row["sites"])
    return VectorInfo(**{**row, "sites": sites, "norms": tuple(row["norms"])})
