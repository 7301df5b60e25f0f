"""Stored runs: what they are asked to do and how far they are."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from steer.specs.evaluate import EvaluateSpec
from steer.specs.making import ExtractSpec, TrainSpec
from steer.specs.sweep import SweepSpec

RUNS_FILE = ".runs/runs.sqlite"
"""The database of runs in the folder of a store, to whose versions they refer."""

Work = EvaluateSpec | ExtractSpec | TrainSpec | SweepSpec
"""The specs of all kinds; each class has its kind's name."""


def new_run_id() -> str:
    """An id nobody has: when it was made, UTC, and three random bytes."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A run: what to do, and a name for people to know it by."""

    work: Work
    name: str = ""


class RunState(StrEnum):
    """Where a run is in its life. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether it stays so."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class RunFailure:
    """Why a run failed: gRPC code, reason and message of the error that ended it."""

    code: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run.

    ``spec``: every default filled in, recipes written out, every stored thing addressed by its
    hash; None in listings. ``spec_hash``: of that, ``sha256:`` and hex digits. ``model`` and
    ``fingerprint``: what it is about; no server with another model runs it. ``sequence`` grows
    with every change. ``total`` units, of which ``done`` have their result; ``total`` is 0 until
    the run begins. ``attempts``: how often a server began or resumed it. ``created``, ``started``,
    ``ended``: seconds since the epoch. ``warnings``: what its sample is too small to show;
    none in listings.
    """

    id: str
    name: str
    kind: str
    state: RunState
    spec_hash: str
    model: str
    fingerprint: str
    created: float
    sequence: int = 0
    total: int = 0
    done: int = 0
    attempts: int = 0
    cancelling: bool = False
    started: float | None = None
    ended: float | None = None
    failure: RunFailure | None = None
    spec: RunSpec | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitResult:
    """What came of one unit, a JSON object. ``sequence`` is the run's when it was stored."""

    key: str
    sequence: int
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One message of a watched run. ``sequence``: watching again from here misses nothing."""

    sequence: int
    run: Run
    results: tuple[UnitResult, ...] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """The report of a run, of what there was when it was asked for; ``run`` says how much."""

    run: Run
    report: Mapping[str, Any] = field(default_factory=dict)
