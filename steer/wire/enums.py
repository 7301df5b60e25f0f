"""The enums of both worlds, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import steer.v1 as pb
from steer.specs import (
    Controls,
    ExtractMethod,
    Extractor,
    Objective,
    Pooling,
    ReadAt,
    RunState,
    Stage,
)
from steer.types import DecayShape, FeatureMode, FinishReason, GateScope, Phase, Point, Unit
from steer.wire.check import Check

E = TypeVar("E", bound=StrEnum)
P = TypeVar("P", bound=int)


@dataclass(frozen=True)
class Table(Generic[E, P]):
    """One enum: our members and their numbers on the wire.

    ``unspecified`` is what number 0 stands for; None means that a value must be given.
    """

    rows: Mapping[E, P]
    unspecified: E | None

    def build(self, member: E) -> P:
        """The number of a member."""
        return self.rows[member]

    def find(self, number: int) -> E | None:
        """The member of a number; None for one this version does not know."""
        if number == 0:
            return self.unspecified
        return next((member for member, known in self.rows.items() if known == number), None)

    def parse(self, number: int, check: Check) -> E:
        """The member of a number; a violation when there is none."""
        member = self.find(number)
        if member is not None:
            return member
        valid = ", ".join(f"{known:d} ({name.value})" for name, known in self.rows.items())
        check.fail("UNKNOWN_ENUM", f"is {number}; give one of {valid}")
        return next(iter(self.rows))


POINT = Table(
    {
        Point.RESID_PRE: pb.POINT_RESID_PRE,
        Point.RESID_MID: pb.POINT_RESID_MID,
        Point.RESID_POST: pb.POINT_RESID_POST,
        Point.ATTN_OUT: pb.POINT_ATTN_OUT,
        Point.MLP_OUT: pb.POINT_MLP_OUT,
    },
    Point.RESID_POST,
)
UNIT = Table(
    {Unit.RAW: pb.STRENGTH_UNIT_RAW, Unit.RELATIVE: pb.STRENGTH_UNIT_RELATIVE},
    Unit.RAW,
)
PHASE = Table(
    {
        Phase.PROMPT: pb.PHASE_PROMPT,
        Phase.GENERATED: pb.PHASE_GENERATED,
        Phase.DECODE: pb.PHASE_DECODE,
        Phase.FIRST: pb.PHASE_FIRST,
        Phase.ALL: pb.PHASE_ALL,
    },
    Phase.ALL,
)
DECAY_SHAPE = Table(
    {
        DecayShape.LINEAR: pb.DECAY_SHAPE_LINEAR,
        DecayShape.EXPONENTIAL: pb.DECAY_SHAPE_EXPONENTIAL,
    },
    None,
)
FEATURE_MODE = Table(
    {
        FeatureMode.SET: pb.FEATURE_MODE_SET,
        FeatureMode.SCALE: pb.FEATURE_MODE_SCALE,
        FeatureMode.ADD: pb.FEATURE_MODE_ADD,
    },
    FeatureMode.SET,
)
GATE_SCOPE = Table(
    {
        GateScope.PROMPT: pb.GATE_SCOPE_PROMPT,
        GateScope.LAST: pb.GATE_SCOPE_LAST,
        GateScope.TOKEN: pb.GATE_SCOPE_TOKEN,
    },
    GateScope.PROMPT,
)
FINISH_REASON = Table(
    {
        FinishReason.STOP: pb.FINISH_REASON_STOP,
        FinishReason.LENGTH: pb.FINISH_REASON_LENGTH,
        FinishReason.STOP_SEQUENCE: pb.FINISH_REASON_STOP_SEQUENCE,
        FinishReason.TIME_LIMIT: pb.FINISH_REASON_TIME_LIMIT,
        FinishReason.CANCELLED: pb.FINISH_REASON_CANCELLED,
        FinishReason.DIVERGED: pb.FINISH_REASON_DIVERGED,
    },
    None,
)
EXTRACTOR = Table(
    {
        Extractor.EXACT: pb.EXTRACTOR_EXACT,
        Extractor.NUMBER: pb.EXTRACTOR_NUMBER,
        Extractor.CHOICE: pb.EXTRACTOR_CHOICE,
        Extractor.REGEX: pb.EXTRACTOR_REGEX,
        Extractor.LAST_LINE: pb.EXTRACTOR_LAST_LINE,
        Extractor.MATH: pb.EXTRACTOR_MATH,
    },
    Extractor.EXACT,
)
CONTROLS = Table(
    {Controls.NONE: pb.CONTROLS_NONE, Controls.STANDARD: pb.CONTROLS_STANDARD},
    Controls.NONE,
)
EXTRACT_METHOD = Table(
    {
        ExtractMethod.DIFFERENCE_OF_MEANS: pb.EXTRACT_METHOD_DIFFERENCE_OF_MEANS,
        ExtractMethod.PCA: pb.EXTRACT_METHOD_PCA,
        ExtractMethod.PROBE: pb.EXTRACT_METHOD_PROBE,
        ExtractMethod.LDA: pb.EXTRACT_METHOD_LDA,
    },
    ExtractMethod.DIFFERENCE_OF_MEANS,
)
READ_AT = Table(
    {
        ReadAt.LAST_PROMPT: pb.READ_AT_LAST_PROMPT,
        ReadAt.PROMPT: pb.READ_AT_PROMPT,
        ReadAt.ANSWER: pb.READ_AT_ANSWER,
        ReadAt.SPANS: pb.READ_AT_SPANS,
        ReadAt.ALL: pb.READ_AT_ALL,
        ReadAt.EVENT: pb.READ_AT_EVENT,
    },
    ReadAt.LAST_PROMPT,
)
POOLING = Table(
    {
        Pooling.MEAN: pb.POOLING_MEAN,
        Pooling.TOKEN: pb.POOLING_TOKEN,
        Pooling.SENTENCE: pb.POOLING_SENTENCE,
    },
    Pooling.MEAN,
)
OBJECTIVE = Table(
    {
        Objective.CROSS_ENTROPY: pb.OBJECTIVE_CROSS_ENTROPY,
        Objective.RLOO: pb.OBJECTIVE_RLOO,
        Objective.GRPO_NO_STD: pb.OBJECTIVE_GRPO_NO_STD,
    },
    None,
)
STAGE = Table(
    {
        Stage.ANSWER: pb.REVISION_STAGE_ANSWER,
        Stage.CRITIQUE: pb.REVISION_STAGE_CRITIQUE,
        Stage.REVISE: pb.REVISION_STAGE_REVISE,
    },
    None,
)
RUN_STATE = Table(
    {
        RunState.QUEUED: pb.RUN_STATE_QUEUED,
        RunState.RUNNING: pb.RUN_STATE_RUNNING,
        RunState.SUCCEEDED: pb.RUN_STATE_SUCCEEDED,
        RunState.FAILED: pb.RUN_STATE_FAILED,
        RunState.CANCELLED: pb.RUN_STATE_CANCELLED,
    },
    None,
)
