"""What is measured: one record for each (arm, item, sample), and what each arm is there for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """What an arm is there for. The rules of the verdict speak of roles, never of names.

    ``of``, ``value`` and ``cosine`` are fields of ``MeasuredArm``. Under "the vector" an arm has
    the interventions of the steered arm it is ``of``.
    """

    BASELINE = "baseline"
    STEERED = "steered"  # the treatment under test, chosen on another split
    CEILING = "ceiling"  # the most that can be had: a cue, a tuned model
    DOSE = "dose"  # the vector at another strength (value)
    RANDOM = "random"  # isotropic, of the vector's norm; value: seed
    WITHIN_CLASS = "within_class"  # from the within-class covariance; value: seed
    STRATIFIED = "stratified"  # from labels shuffled inside each class; value: seed
    NEGATED = "negated"  # the vector times -1
    ORTHOGONAL = "orthogonal"  # the vector without its component along another one
    FORCED = "forced"  # unsteered, the first token of the reasoning mode forced
    BIAS = "bias"  # unsteered, a constant logit bias; value: its size
    PROMPT_CUE = "prompt_cue"  # unsteered, asked for in the prompt
    FILLER = "filler"  # filler tokens in the place of a trace, as many
    SWAPPED = "swapped"  # the vector, after the trace of another item
    CORRUPTED = "corrupted"  # the vector, after a trace with one wrong step
    TRUNCATED = "truncated"  # the vector, after part of the trace; value: the fraction kept
    ANSWER_ONLY = "answer_only"  # the vector, made to answer at once
    SWAPPED_TARGET = "swapped_target"  # a vector trained the same way, on traces of other items
    UNTAUGHT = "untaught"  # the same training on a model that never saw a trace
    UNTAUGHT_BASELINE = "untaught_baseline"  # that model unsteered: its gain is over this one
    BRANCHED = "branched"  # the arm it is of (without: the baseline), a branch chosen by a rule
    REVISED = "revised"  # the same, but its answers revised after a critique of them


@dataclass(frozen=True, slots=True)
class MeasuredArm:
    """An arm of an evaluation.

    ``value``: what its role says (strength, seed, size, fraction kept), None where it has none.
    ``cosine``: of a null, to the vector it stands against, -1 to 1. ``of``: the steered arm it
    controls; empty when it controls all of them.
    """

    name: str
    role: Role
    value: float | None = None
    cosine: float | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One graded completion.

    ``sample``: 0-based; equal samples of two arms share their random numbers. ``template``: items
    of one template share an error; an item without one (empty) stands alone. ``retention``: whether
    the item asks for what must not get lost, and not for what is elicited.

    ``trace_complete``, ``trace_valid`` (complete, every step right, and the answer follows),
    ``trace_right`` (share of the gold steps that are right, 0 to 1) and ``trace_follows`` (the
    answer is what the last step written implies) are None where the task has no checker; ``thinks``
    (a trace was begun) is None where nobody can tell.

    ``tokens``: generated tokens. ``finish``: a ``types.FinishReason``. ``distinct2``: distinct
    bigrams of token ids by bigrams, 0 to 1. ``mean_kl``, ``first_kl``: KL(arm‖unsteered) of the
    next-token distributions, nats, mean over the tokens and at the first one. ``baseline_nats``:
    mean -log p of the arm's tokens under the unsteered model. These three are None when not
    measured. ``touched``: positions changed, over all sites. ``mean_change``: mean ‖Δ‖/‖h‖ there.
    """

    arm: str
    item: str
    sample: int
    template: str
    retention: bool
    correct: bool
    answer: str | None
    trace_complete: bool | None
    trace_valid: bool | None
    trace_right: float | None
    trace_follows: bool | None
    tokens: int
    finish: str
    distinct2: float
    thinks: bool | None
    mean_kl: float | None
    first_kl: float | None
    baseline_nats: float | None
    touched: int
    mean_change: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the names of the fields."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Record":
        """The inverse of ``to_dict``. Raises ValueError when a field is missing or unknown."""
        names = {field.name for field in fields(cls)}
        if odd := names ^ values.keys():
            raise ValueError(f"not a record: missing or unknown fields {sorted(odd)}")
        return cls(**values)
