"""Summaries and verdicts as plain JSON values, for reports, the wire and data frames.

The keys are the names of the dataclasses' fields. What is not finite is null: JSON has no infinity.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from steer.measure.summary import Summary
from steer.measure.verdict import Verdict

# Columns of the flat table: path into an ArmSummary. Names and order are for callers to keep.
COLUMNS: Mapping[str, str] = {
    "arm": "arm.name",
    "role": "arm.role",
    "value": "arm.value",
    "cosine": "arm.cosine",
    "of": "arm.of",
    "items": "items",
    "samples": "samples",
    "answered": "answered",
    "accuracy": "accuracy.value",
    "accuracy_low": "accuracy.low",
    "accuracy_high": "accuracy.high",
    "difference": "against_baseline.value",
    "difference_low": "against_baseline.low",
    "difference_high": "against_baseline.high",
    "difference_se": "against_baseline.se",
    "p": "against_baseline.p",
    "p_holm": "against_baseline.p_holm",
    "recovery": "recovery.value",
    "recovery_low": "recovery.low",
    "recovery_high": "recovery.high",
    "corrected": "modes.corrected",
    "overthought": "modes.overthought",
    "correction_rate": "modes.correction_rate",
    "overthinking_rate": "modes.overthinking_rate",
    "pass_k": "passes.-1.k",
    "pass": "passes.-1.value",
    "pass_low": "passes.-1.low",
    "pass_high": "passes.-1.high",
    "pass_corrected": "passes.-1.corrected",
    "inside_baseline": "coverage.inside",
    "begun": "traces.begun.value",
    "complete": "traces.complete.value",
    "valid": "traces.valid.value",
    "valid_low": "traces.valid.low",
    "valid_high": "traces.valid.high",
    "valid_when_right": "traces.valid_when_right.value",
    "steps": "traces.steps.value",
    "follows": "traces.follows.value",
    "tokens": "texts.mean_tokens",
    "ended": "texts.ended",
    "cut": "texts.cut",
    "repetition": "texts.repetition",
    "kl": "drift.kl",
    "first_kl": "drift.first_kl",
    "first_share": "drift.first_share",
    "perplexity": "drift.perplexity",
    "touched": "drift.touched",
    "change": "drift.change",
    "retention": "retention.value",
    "retention_low": "retention.low",
    "retention_high": "retention.high",
    "retention_difference": "retention_against_baseline.value",
    "retention_p_holm": "retention_against_baseline.p_holm",
}


def as_json(summary: Summary, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """``{"summary": …, "verdicts": […], "table": […]}``; the table is ``rows``."""
    return {"summary": plain(summary), "verdicts": plain(verdicts), "table": rows(summary)}


def rows(summary: Summary) -> list[dict[str, Any]]:
    """One flat mapping for each arm, all with the keys of ``COLUMNS``: a data frame, or a CSV."""
    return [{name: _at(arm, path) for name, path in COLUMNS.items()} for arm in summary.arms]


def plain(value: Any) -> Any:
    """Dataclasses, mappings and sequences of them as JSON values. Raises TypeError for others."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(plain(key)): plain(of) for key, of in value.items()}
        case Sequence():
            return [plain(of) for of in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"no JSON for {type(value).__name__}")


def _at(value: Any, path: str) -> Any:
    """The value at a path of attributes and of places in tuples; None behind what is None."""
    for name in path.split("."):
        if value is not None:
            value = value[int(name)] if isinstance(value, tuple) else getattr(value, name)
    return plain(value)
