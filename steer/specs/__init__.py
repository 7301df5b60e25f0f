"""What stored runs are asked to do, and how far they are. No torch, no protobuf."""

from steer.specs.counts import UpTo
from steer.specs.evaluate import Controls, EvaluateSpec, Revision, Stage
from steer.specs.making import (
    Demonstration,
    ExtractMethod,
    ExtractSpec,
    Objective,
    Passage,
    Pooling,
    ReadAt,
    TrainSpec,
)
from steer.specs.run import (
    RUNS_FILE,
    Run,
    RunEvent,
    RunFailure,
    RunReport,
    RunSpec,
    RunState,
    UnitResult,
    Work,
    new_run_id,
)
from steer.specs.sweep import SweepSpec
from steer.specs.task import InlineTask
from steer.types import Extractor

__all__ = [
    "RUNS_FILE",
    "Controls",
    "Demonstration",
    "EvaluateSpec",
    "ExtractMethod",
    "ExtractSpec",
    "Extractor",
    "InlineTask",
    "Objective",
    "Passage",
    "Pooling",
    "ReadAt",
    "Revision",
    "Run",
    "RunEvent",
    "RunFailure",
    "RunReport",
    "RunSpec",
    "RunState",
    "Stage",
    "SweepSpec",
    "TrainSpec",
    "UnitResult",
    "UpTo",
    "Work",
    "new_run_id",
]
