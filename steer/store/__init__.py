"""Stored vectors on disk, each with a card."""

from steer.store.card import Card
from steer.store.store import Store, Vector, bundled

__all__ = ["Card", "Store", "Vector", "bundled"]
