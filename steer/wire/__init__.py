"""Proto <-> types. Besides ``server/`` and ``client/`` nothing else knows both.

``build_*`` makes a message and ``parse_*`` reads one; ``parse(build(x)) == x``. Requests are judged
while they are read: everything that is wrong in itself, whatever the model, is reported at once
with field paths. Every default is resolved here and nowhere else.
"""

from collections.abc import Callable
from typing import TypeVar

import steer.v1 as pb
from steer.errors import Violations
from steer.foreign import Options
from steer.specs import RunSpec, RunState
from steer.types import (
    Arm,
    CaptureTrial,
    Gate,
    Intervention,
    Prompt,
    ScoreTrial,
    StoredRecipe,
    Trial,
    Where,
)
from steer.wire import captures, foreign, gates, interventions, recipes, runs, specs, trials, where
from steer.wire.branches import build_branches, parse_branches
from steer.wire.captures import (
    build_activations,
    build_capture,
    build_features,
    build_held,
    parse_activations,
    parse_features,
    parse_held,
)
from steer.wire.check import Check
from steer.wire.foreign import build_account, build_import_options, parse_account
from steer.wire.gates import build_gate
from steer.wire.interventions import build_intervention
from steer.wire.measures import (
    build_measurement,
    build_scored_arm,
    parse_measurement,
    parse_scored_arm,
)
from steer.wire.model import build_model, parse_model
from steer.wire.recipes import build_recipe, recipe_hash, recipe_to_json
from steer.wire.rows import (
    build_chunk,
    build_finished,
    build_row,
    parse_chunk,
    parse_finished,
    parse_row,
)
from steer.wire.runs import (
    build_event,
    build_report,
    build_run,
    parse_event,
    parse_report,
    parse_run,
)
from steer.wire.sampling import build_sampling
from steer.wire.specs import build_run_spec, run_spec_from_json, run_spec_hash, run_spec_to_json
from steer.wire.started import build_started, parse_started
from steer.wire.trials import build_arm, build_prompt, build_score, build_trial
from steer.wire.vectors import (
    build_removed,
    build_statistics,
    build_store_report,
    build_vector,
    parse_removed,
    parse_statistics,
    parse_store_report,
    parse_vector,
)
from steer.wire.where import build_where

M = TypeVar("M")
T = TypeVar("T")


def read_trial(message: pb.Trial, path: str = "trial") -> tuple[Trial, Violations]:
    """A trial and what is wrong with it so far, for a caller that goes on judging."""
    check = Check.begin(path)
    return trials.read_trial(message, check), check.found


def read_score(message: pb.ScoreRequest) -> tuple[ScoreTrial, Violations]:
    """A scoring request and what is wrong with it so far."""
    check = Check.begin()
    return trials.read_score(message, check), check.found


def read_capture(message: pb.CaptureRequest) -> tuple[CaptureTrial, Violations]:
    """A capture and what is wrong with it so far."""
    check = Check.begin()
    return captures.read_capture(message, check), check.found


def read_recipe(message: pb.Recipe, path: str = "recipe") -> tuple[StoredRecipe, Violations]:
    """A recipe and what is wrong with it so far."""
    check = Check.begin(path)
    return recipes.read_recipe(message, check), check.found


def read_run_spec(message: pb.RunSpec, path: str = "spec") -> tuple[RunSpec, Violations]:
    """The spec of a run and what is wrong with it so far."""
    check = Check.begin(path)
    return specs.read_run_spec(message, check), check.found


def parse_run_spec(message: pb.RunSpec, path: str = "spec") -> RunSpec:
    """The spec of a run. Raises InvalidRequest with every violation."""
    return _judged(specs.read_run_spec, message, path)


def parse_states(message: pb.ListRunsRequest, path: str = "") -> tuple[RunState, ...]:
    """Which states are asked for. Raises InvalidRequest with every violation."""
    return _judged(runs.read_states, message, path)


def parse_trial(message: pb.Trial, path: str = "trial") -> Trial:
    """A trial. Raises InvalidRequest with every violation, its fields named from ``path``."""
    return _judged(trials.read_trial, message, path)


def parse_score(message: pb.ScoreRequest, path: str = "") -> ScoreTrial:
    """A scoring request. Raises InvalidRequest with every violation."""
    return _judged(trials.read_score, message, path)


def parse_capture(message: pb.CaptureRequest, path: str = "") -> CaptureTrial:
    """A capture. Raises InvalidRequest with every violation."""
    return _judged(captures.read_capture, message, path)


def parse_recipe(message: pb.Recipe, path: str = "recipe") -> StoredRecipe:
    """A recipe. Raises InvalidRequest with every violation."""
    return _judged(recipes.read_recipe, message, path)


def recipe_from_json(text: str, path: str = "recipe") -> StoredRecipe:
    """A recipe from a recipe file. Raises InvalidRequest with every violation."""
    return _judged(recipes.read_recipe_json, text, path)


def parse_prompt(message: pb.Prompt, path: str = "prompt") -> Prompt:
    """A prompt. Raises InvalidRequest with every violation."""
    return _judged(trials.read_prompt, message, path)


def parse_arm(message: pb.Arm, path: str = "arm") -> Arm:
    """An arm. Raises InvalidRequest with every violation."""
    return _judged(trials.read_arm, message, path)


def parse_intervention(message: pb.Intervention, path: str = "intervention") -> Intervention:
    """An intervention. Raises InvalidRequest with every violation."""
    return _judged(interventions.parse_intervention, message, path)


def parse_where(message: pb.Where, path: str = "where") -> Where:
    """Where. Raises InvalidRequest with every violation."""
    return _judged(where.parse_where, message, path)


def parse_gate(message: pb.Gate, path: str = "gate") -> Gate:
    """A gate. Raises InvalidRequest with every violation."""
    return _judged(gates.parse_gate, message, path)


def parse_import_options(message: pb.ImportOptions, path: str = "options") -> Options:
    """What one says about foreign files. Raises InvalidRequest with every violation."""
    return _judged(foreign.read_import_options, message, path)


def _judged(read: Callable[[M, Check], T], message: M, path: str) -> T:
    check = Check.begin(path)
    value = read(message, check)
    check.found.raise_if_any()
    return value


__all__ = [
    "build_account",
    "build_activations",
    "build_arm",
    "build_branches",
    "build_capture",
    "build_chunk",
    "build_event",
    "build_features",
    "build_finished",
    "build_gate",
    "build_held",
    "build_import_options",
    "build_intervention",
    "build_measurement",
    "build_model",
    "build_prompt",
    "build_recipe",
    "build_removed",
    "build_report",
    "build_row",
    "build_run",
    "build_run_spec",
    "build_sampling",
    "build_score",
    "build_scored_arm",
    "build_started",
    "build_statistics",
    "build_store_report",
    "build_trial",
    "build_vector",
    "build_where",
    "parse_account",
    "parse_activations",
    "parse_arm",
    "parse_branches",
    "parse_capture",
    "parse_chunk",
    "parse_event",
    "parse_features",
    "parse_finished",
    "parse_gate",
    "parse_held",
    "parse_import_options",
    "parse_intervention",
    "parse_measurement",
    "parse_model",
    "parse_prompt",
    "parse_recipe",
    "parse_removed",
    "parse_report",
    "parse_row",
    "parse_run",
    "parse_run_spec",
    "parse_score",
    "parse_scored_arm",
    "parse_started",
    "parse_states",
    "parse_statistics",
    "parse_store_report",
    "parse_trial",
    "parse_vector",
    "parse_where",
    "read_capture",
    "read_recipe",
    "read_run_spec",
    "read_score",
    "read_trial",
    "recipe_from_json",
    "recipe_hash",
    "recipe_to_json",
    "run_spec_from_json",
    "run_spec_hash",
    "run_spec_to_json",
]
