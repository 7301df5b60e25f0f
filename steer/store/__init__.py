"""Stored vectors and dictionaries on disk, each with a card."""

from steer.store.card import Architecture, Card, CardError, DictionarySpec, Normalize
from steer.store.kinds import (
    KINDS,
    Dictionary,
    FeatureRows,
    Item,
    LowRank,
    LowRankTensors,
    Probe,
    ProbeTensors,
    Vector,
    content_hash,
)
from steer.store.store import Store, bundled

__all__ = [
    "KINDS",
    "Architecture",
    "Card",
    "CardError",
    "Dictionary",
    "DictionarySpec",
    "FeatureRows",
    "Item",
    "LowRank",
    "LowRankTensors",
    "Normalize",
    "Probe",
    "ProbeTensors",
    "Store",
    "Vector",
    "bundled",
    "content_hash",
]
