"""Activation steering as a service: a model's output with and without, side by side.

    with steer.Client() as client:
        result = client.compare("quiz 3 : d a h c c f =", steer.add("a1-rloo"))
        print(result.baseline.text, result.steered.text)

Importing this loads nothing heavy: each name below is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steer import errors as errors
    from steer.client.arms import arm as arm
    from steer.client.async_client import AsyncClient as AsyncClient
    from steer.client.captures import Activations as Activations
    from steer.client.captures import Capture as Capture
    from steer.client.client import Client as Client
    from steer.client.controls import negate as negate
    from steer.client.controls import orthogonal_to as orthogonal_to
    from steer.client.controls import random_like as random_like
    from steer.client.controls import within_class as within_class
    from steer.client.critiques import Critique as Critique
    from steer.client.critiques import critique as critique
    from steer.client.critiques import critique_pairs as critique_pairs
    from steer.client.evaluations import jsonl_task as jsonl_task
    from steer.client.gates import active as active
    from steer.client.gates import cosine as cosine
    from steer.client.gates import probe as probe
    from steer.client.recipe import Recipe as Recipe
    from steer.client.recipes import ablate as ablate
    from steer.client.recipes import add as add
    from steer.client.recipes import clamp as clamp
    from steer.client.recipes import feature as feature
    from steer.client.recipes import low_rank as low_rank
    from steer.client.recipes import patch as patch
    from steer.client.recipes import pin as pin
    from steer.client.recipes import project as project
    from steer.client.recipes import rotate as rotate
    from steer.client.results import ArmResult as ArmResult
    from steer.client.results import Comparison as Comparison
    from steer.client.results import Scores as Scores
    from steer.client.runs import RunHandle as RunHandle
    from steer.client.where import where as where
    from steer.critiquing import CritiqueTemplates as CritiqueTemplates
    from steer.errors import Cancelled as Cancelled
    from steer.errors import DeadlineExceeded as DeadlineExceeded
    from steer.errors import FailedPrecondition as FailedPrecondition
    from steer.errors import Interrupted as Interrupted
    from steer.errors import InvalidRequest as InvalidRequest
    from steer.errors import NotFound as NotFound
    from steer.errors import NotImplementedYet as NotImplementedYet
    from steer.errors import Overloaded as Overloaded
    from steer.errors import ServerError as ServerError
    from steer.errors import SteerError as SteerError
    from steer.errors import TooLarge as TooLarge
    from steer.errors import Unauthenticated as Unauthenticated
    from steer.errors import Unavailable as Unavailable
    from steer.errors import Violation as Violation
    from steer.specs import Controls as Controls
    from steer.specs import Demonstration as Demonstration
    from steer.specs import EvaluateSpec as EvaluateSpec
    from steer.specs import ExtractMethod as ExtractMethod
    from steer.specs import Extractor as Extractor
    from steer.specs import ExtractSpec as ExtractSpec
    from steer.specs import InlineTask as InlineTask
    from steer.specs import Objective as Objective
    from steer.specs import Passage as Passage
    from steer.specs import Pooling as Pooling
    from steer.specs import ReadAt as ReadAt
    from steer.specs import Revision as Revision
    from steer.specs import Run as Run
    from steer.specs import RunEvent as RunEvent
    from steer.specs import RunFailure as RunFailure
    from steer.specs import RunReport as RunReport
    from steer.specs import RunSpec as RunSpec
    from steer.specs import RunState as RunState
    from steer.specs import Stage as Stage
    from steer.specs import SweepSpec as SweepSpec
    from steer.specs import TrainSpec as TrainSpec
    from steer.specs import UnitResult as UnitResult
    from steer.types import Branch as Branch
    from steer.types import Branches as Branches
    from steer.types import Branching as Branching
    from steer.types import CapturedActivations as CapturedActivations
    from steer.types import CapturedFeatures as CapturedFeatures
    from steer.types import Chunk as Chunk
    from steer.types import Decay as Decay
    from steer.types import DecayShape as DecayShape
    from steer.types import FeatureReadout as FeatureReadout
    from steer.types import Finished as Finished
    from steer.types import FinishReason as FinishReason
    from steer.types import Gate as Gate
    from steer.types import GateScope as GateScope
    from steer.types import HeldCapture as HeldCapture
    from steer.types import Intervention as Intervention
    from steer.types import Marker as Marker
    from steer.types import Measurement as Measurement
    from steer.types import Phase as Phase
    from steer.types import Point as Point
    from steer.types import Range as Range
    from steer.types import Sampling as Sampling
    from steer.types import Site as Site
    from steer.types import Started as Started
    from steer.types import Strength as Strength
    from steer.types import Unit as Unit
    from steer.types import Where as Where

_NAMES = {
    "steer.client.arms": "arm",
    "steer.client.async_client": "AsyncClient",
    "steer.client.captures": "Activations Capture",
    "steer.client.client": "Client",
    "steer.client.controls": "negate orthogonal_to random_like within_class",
    "steer.client.critiques": "Critique critique critique_pairs",
    "steer.client.evaluations": "jsonl_task",
    "steer.client.gates": "active cosine probe",
    "steer.client.recipe": "Recipe",
    "steer.client.recipes": "ablate add clamp feature low_rank patch pin project rotate",
    "steer.client.results": "ArmResult Comparison Scores",
    "steer.client.runs": "RunHandle",
    "steer.client.where": "where",
    "steer.critiquing": "CritiqueTemplates",
    "steer.errors": (
        "Cancelled DeadlineExceeded FailedPrecondition Interrupted InvalidRequest NotFound "
        "NotImplementedYet Overloaded ServerError SteerError TooLarge Unauthenticated Unavailable "
        "Violation"
    ),
    "steer.specs": (
        "Controls Demonstration EvaluateSpec ExtractMethod ExtractSpec Extractor InlineTask "
        "Objective Passage Pooling ReadAt Revision Run RunEvent RunFailure RunReport RunSpec "
        "RunState Stage SweepSpec TrainSpec UnitResult"
    ),
    "steer.types": (
        "Branch Branches Branching CapturedActivations CapturedFeatures Chunk Decay DecayShape "
        "FeatureReadout FinishReason Finished Gate GateScope HeldCapture Intervention Marker "
        "Measurement Phase Point Range Sampling Site Started Strength Unit Where"
    ),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(["errors", *_HOME])


def __getattr__(name: str) -> object:
    if name == "errors":
        return import_module("steer.errors")
    if name not in _HOME:
        raise AttributeError(f"module 'steer' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
