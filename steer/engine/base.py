"""What an engine is, and what it says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from steer.errors import SteerError
from steer.intervene.plan import Plan
from steer.types import Chunk, Finished, Measurement, ModelInfo, ScoredArm, Site


@dataclass(frozen=True, slots=True)
class Done:
    """All rows of a plan have ended. ``scores`` only for scoring plans."""

    measurements: tuple[Measurement, ...]
    scores: tuple[ScoredArm, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The plan ended without an answer."""

    error: SteerError


Event = Chunk | Finished | Done | Failed
Sink = Callable[[Sequence[tuple[str, Sequence[Event]]]], None]
"""Takes (request id, its events in order) of one step; called on the engine's thread, must return
at once."""


class Engine(Protocol):
    """Runs plans. The embedded engine is one; a vLLM engine can be another."""

    def submit(self, plan: Plan, sink: Sink) -> None:
        """Queue a plan; its events go to ``sink``, the last is Done or Failed.

        Raises Overloaded when the queue is full, TooLarge when the plan can never fit,
        Unavailable when the engine is closing.
        """

    def cancel(self, request_id: str) -> None:
        """Free a plan's rows by the next step. Unknown ids are ignored."""

    def norms(self, prompt: tuple[int, ...], sites: tuple[Site, ...]) -> Mapping[Site, float]:
        """Mean ‖h‖ over the prompt's tokens at each site, unsteered, special tokens left out."""

    def info(self) -> ModelInfo:
        """What is served."""

    def close(self, drain_seconds: float = 0.0) -> None:
        """Stop admitting, let running plans finish for a while, then end."""
