"""What an engine is, and what it says."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from steer.errors import SteerError
from steer.intervene.operands import Array
from steer.intervene.plan import Plan
from steer.intervene.ports import Reader
from steer.types import (
    Branches,
    CapturedActivations,
    CapturedFeatures,
    Chunk,
    Finished,
    LensToken,
    Measurement,
    ModelInfo,
    ScoredArm,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """All rows of a plan have ended. ``scores`` only for scoring plans, ``branches`` (one for each
    arm) only for branching ones."""

    measurements: tuple[Measurement, ...]
    scores: tuple[ScoredArm, ...] = ()
    branches: tuple[Branches, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The plan ended without an answer."""

    error: SteerError


@dataclass(frozen=True, slots=True)
class Lens:
    """The logit lens of a direction: the tokens it raises most and lowers most, furthest first."""

    top: tuple[LensToken, ...]
    bottom: tuple[LensToken, ...]


Event = Chunk | Finished | CapturedActivations | CapturedFeatures | Done | Failed
Sink = Callable[[Sequence[tuple[str, Sequence[Event]]]], None]
"""Takes (request id, its events in order) of one step; called on the engine's thread, must return
at once."""


def size(event: Event) -> int:
    """Bytes of captures in an event, about: what a caller has to take before more is made."""
    if isinstance(event, CapturedActivations):
        return len(event.data)
    if isinstance(event, CapturedFeatures):
        return 8 * sum(1 + len(latents.indices) for latents in event.latents)
    return 0


class Engine(Reader, Protocol):
    """Runs plans and reads prompts. The embedded engine is one; a vLLM engine can be another."""

    def submit(self, plan: Plan, sink: Sink) -> None:
        """Queue a plan; its events go to ``sink``, the last is Done or Failed.

        Raises Overloaded when the queue is full, TooLarge when the plan can never fit,
        Unavailable when the engine is closing.
        """

    def lens(self, directions: Sequence[Array], count: int) -> Sequence[Lens]:
        """What directions of shape (d_model,) say when the final norm and the unembedding read
        them: ``count`` tokens at each end, without their text. Blocks."""

    def borrow(self, work: "Callable[[PreTrainedModel], T]") -> "Future[T]":
        """Call ``work`` with the served network on the engine's thread, where gradients can be
        taken, as soon as nothing that somebody waits for waits or runs. Meanwhile nobody is served,
        so it has to be short. It leaves the network as it was; batches are padded, as for any model
        of transformers.

        Cancelling the future takes back work that has not begun. Raises Unavailable when the engine
        is closing, also through the future; FailedPrecondition where the weights are out of reach.
        """

    def took(self, request_id: str, size: int) -> None:
        """The caller has taken ``size`` bytes of captures; a plan whose caller takes none pauses.
        Unknown ids are ignored."""

    def cancel(self, request_id: str) -> None:
        """Free a plan's rows by the next step. Unknown ids are ignored."""

    def info(self) -> ModelInfo:
        """What is served."""

    def drain(self, seconds: float) -> None:
        """Refuse plans from now on, let running ones finish for so many seconds, then end. Returns
        at once; called again, the new limit holds."""

    def join(self) -> None:
        """Wait for the end that ``drain`` brings."""

    def close(self, drain_seconds: float = 0.0) -> None:
        """``drain``, then ``join``."""
