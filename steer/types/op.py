"""What is done at a site. h: the activation there, v: the operand, s: the strength."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from steer.types.operand import Operand


@dataclass(frozen=True, slots=True)
class Add:
    """h + s·v."""

    name: ClassVar[str] = "add"
    operand: Operand


@dataclass(frozen=True, slots=True)
class Project:
    """h + s·(clip(h·v̂, low, high) - h·v̂)·v̂. ``low = high = 0`` ablates the direction."""

    name: ClassVar[str] = "project"
    operand: Operand
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Rotate:
    """Rotate h towards v̂ by s·``degrees`` (-180 to 180) in span(h, v̂), keeping its norm."""

    name: ClassVar[str] = "rotate"
    operand: Operand
    degrees: float


class FeatureMode(StrEnum):
    """What is done with a feature's activation."""

    SET = "set"
    SCALE = "scale"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class FeatureEdit:
    """One latent of a dictionary and its target."""

    index: int
    value: float
    mode: FeatureMode = FeatureMode.SET


@dataclass(frozen=True, slots=True)
class Feature:
    """h + s·Σ_f (t_f - a_f(h))·W_dec[f]: encode, edit, decode, with the error term kept.

    a_f is of h before any intervention at the site, which is the dictionary's own.
    """

    name: ClassVar[str] = "feature"
    dictionary: str
    edits: tuple[FeatureEdit, ...]


@dataclass(frozen=True, slots=True)
class LowRank:
    """h + Rᵀ(W h + b - R h) (ReFT, arXiv 2404.03592)."""

    name: ClassVar[str] = "low_rank"
    vector: str


@dataclass(frozen=True, slots=True)
class Replace:
    """h ← (1 - s·fraction)·h + s·fraction·source.

    The source is exactly one of: a direction (``operand``), what Capture kept (``capture_id``),
    the prompt's activations of another arm of the trial (``source_arm``). Of the latter two,
    ``source_position`` takes one position (negative: from the end of the source's prompt); None
    takes the source's same position for every touched one, and leaves alone what it has not.
    """

    name: ClassVar[str] = "replace"
    operand: Operand | None = None
    capture_id: str = ""
    source_arm: str = ""
    fraction: float = 1.0
    source_position: int | None = None


Op = Add | Project | Rotate | Feature | LowRank | Replace
Directed = Add | Project | Rotate | Replace
"""The ops that work with a direction, or may."""


def operand_of(op: Op) -> Operand | None:
    """The direction an op works with; None where it has none."""
    return op.operand if isinstance(op, Directed) else None


def redirected(op: Op, change: Callable[[Operand], Operand]) -> Op:
    """The op with ``change`` of its direction; as it is where it has none."""
    if isinstance(op, Directed) and op.operand is not None:
        return replace(op, operand=change(op.operand))
    return op
