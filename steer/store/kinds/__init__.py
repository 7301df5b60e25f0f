"""The kinds of things a store holds; one row of ``KINDS`` each."""

from collections.abc import Mapping

from steer.store.kinds.base import Item
from steer.store.kinds.dictionary import Dictionary, FeatureRows
from steer.store.kinds.low_rank import LowRank, LowRankTensors
from steer.store.kinds.probe import Probe, ProbeTensors
from steer.store.kinds.vector import ClassStatistics, Vector, content_hash

KINDS: Mapping[str, type[Item]] = {
    "direction": Vector,
    "low_rank": LowRank,
    "probe": Probe,
    "sae": Dictionary,
    "transcoder": Dictionary,
}
"""What ``card.kind`` may be. ``read`` checks and takes tensors, ``arrays`` names them again."""

__all__ = [
    "KINDS",
    "ClassStatistics",
    "Dictionary",
    "FeatureRows",
    "Item",
    "LowRank",
    "LowRankTensors",
    "Probe",
    "ProbeTensors",
    "Vector",
    "content_hash",
]
