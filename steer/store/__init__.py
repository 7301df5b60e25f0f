"""Stored vectors and dictionaries on disk, each with a card."""

from steer.store.card import Card, CardError
from steer.store.kinds import (
    KINDS,
    ClassStatistics,
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
from steer.store.overlay import Overlay, open_store, user_folder
from steer.store.spec import Architecture, DictionarySpec, Normalize
from steer.store.store import Store, bundled
from steer.store.upload import Upload
from steer.store.versions import Version

__all__ = [
    "KINDS",
    "Architecture",
    "Card",
    "CardError",
    "ClassStatistics",
    "Dictionary",
    "DictionarySpec",
    "FeatureRows",
    "Item",
    "LowRank",
    "LowRankTensors",
    "Normalize",
    "Overlay",
    "Probe",
    "ProbeTensors",
    "Store",
    "Upload",
    "Vector",
    "Version",
    "bundled",
    "content_hash",
    "open_store",
    "user_folder",
]
