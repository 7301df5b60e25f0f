"""Ops: one function each way for each of them, and the table that joins them."""

import math
from collections.abc import Callable
from typing import Any

import steer.v1 as pb
from steer.types import (
    Add,
    Feature,
    FeatureEdit,
    LowRank,
    Op,
    Project,
    Replace,
    Rotate,
    Stored,
)
from steer.wire.check import Check, one_of
from steer.wire.enums import FEATURE_MODE
from steer.wire.operands import build_operand, parse_operand


def build_op(op: Op) -> dict[str, Any]:
    """An op as the keyword argument of ``pb.Intervention`` that sets it."""
    return {op.name: _BUILD[op.name](op)}


def parse_op(message: pb.Intervention, check: Check) -> Op:
    """The op of an intervention."""
    which = message.WhichOneof("op")
    if which is None:
        check.fail("REQUIRED", f"has no op; give one of {', '.join(_PARSE)}")
        return Add(Stored(""))
    return _PARSE[which](getattr(message, which), check.at(which))


def _build_feature(op: Feature) -> pb.Feature:
    edits = [
        pb.FeatureEdit(index=edit.index, value=edit.value, mode=FEATURE_MODE.build(edit.mode))
        for edit in op.edits
    ]
    return pb.Feature(dictionary=op.dictionary, edits=edits)


def _build_replace(op: Replace) -> pb.Replace:
    source = one_of(
        operand=None if op.operand is None else build_operand(op.operand),
        capture_id=op.capture_id,
        source_arm=op.source_arm,
    )
    return pb.Replace(**source, fraction=op.fraction, source_position=op.source_position)


def _parse_add(message: pb.Add, check: Check) -> Add:
    return Add(parse_operand(message.operand, check.at("operand")))


def _parse_project(message: pb.Project, check: Check) -> Project:
    operand = parse_operand(message.operand, check.at("operand"))
    low, high = message.low, message.high
    if low != -math.inf:
        check.at("low").finite(low)
    if high != math.inf:
        check.at("high").finite(high)
    if low > high:
        check.at("low").fail("CONTRADICTORY", f"is {low:g}, above high = {high:g}; give low ≤ high")
    return Project(operand, low, high)


def _parse_rotate(message: pb.Rotate, check: Check) -> Rotate:
    operand = parse_operand(message.operand, check.at("operand"))
    return Rotate(operand, check.at("degrees").within(message.degrees, -180, 180))


def _parse_feature(message: pb.Feature, check: Check) -> Feature:
    edits = tuple(_parse_edit(one, check.at("edits", i)) for i, one in enumerate(message.edits))
    if not edits:
        check.at("edits").fail("REQUIRED", "is empty; give at least one edit")
    indices = (edit.index for edit in edits)
    check.at("edits").distinct(indices, "edits a feature twice; give one edit for each index")
    return Feature(check.at("dictionary").require(message.dictionary), edits)


def _parse_edit(message: pb.FeatureEdit, check: Check) -> FeatureEdit:
    value = check.at("value").finite(message.value)
    return FeatureEdit(message.index, value, FEATURE_MODE.parse(message.mode, check.at("mode")))


def _parse_low_rank(message: pb.LowRank, check: Check) -> LowRank:
    return LowRank(check.at("vector").require(message.vector))


def _parse_replace(message: pb.Replace, check: Check) -> Replace:
    given = message.fraction if message.HasField("fraction") else Replace().fraction
    fraction = check.at("fraction").within(given, 0, 1)
    position = message.source_position if message.HasField("source_position") else None
    match message.WhichOneof("source"):
        case "operand":
            if position is not None:
                check.at("source_position").fail(
                    "CONTRADICTORY",
                    "is given, but an operand has no positions; give capture_id or source_arm",
                )
            operand = parse_operand(message.operand, check.at("operand"))
            return Replace(operand, fraction=fraction)
        case "capture_id":
            capture = check.at("capture_id").require(message.capture_id)
            return Replace(capture_id=capture, fraction=fraction, source_position=position)
        case "source_arm":
            arm = check.at("source_arm").require(message.source_arm)
            return Replace(source_arm=arm, fraction=fraction, source_position=position)
    check.fail("REQUIRED", "has no source; give one of operand, capture_id, source_arm")
    return Replace()


_BUILD: dict[str, Callable[[Any], Any]] = {
    "add": lambda op: pb.Add(operand=build_operand(op.operand)),
    "project": lambda op: pb.Project(operand=build_operand(op.operand), low=op.low, high=op.high),
    "rotate": lambda op: pb.Rotate(operand=build_operand(op.operand), degrees=op.degrees),
    "feature": _build_feature,
    "low_rank": lambda op: pb.LowRank(vector=op.vector),
    "replace": _build_replace,
}
_PARSE: dict[str, Callable[[Any, Check], Op]] = {
    "add": _parse_add,
    "project": _parse_project,
    "rotate": _parse_rotate,
    "feature": _parse_feature,
    "low_rank": _parse_low_rank,
    "replace": _parse_replace,
}
