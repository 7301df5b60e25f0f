"""The report of a training run: its curve, why it ended, and what was stored."""

from collections.abc import Mapping
from typing import Any

from steer.runs.kind import Json
from steer.specs import TrainSpec

ENDED = {
    "": "all steps were taken",
    "ENOUGH": "the split select reached what was asked for",
    "NO_REWARD_VARIANCE": "the rewards of a prompt's completions no longer differed",
    "LOSS_NOT_FINITE": "a number was not finite; the last good vectors were kept",
}
"""What the reasons mean."""


def report(spec: TrainSpec, results: Mapping[str, Json], last: str) -> Json:
    """``table``: the records of all steps so far, with every column in each. ``ended``: why there
    are no more."""
    records = [record for one in results.values() for record in one["records"]]
    columns = dict.fromkeys(name for record in records for name in record)
    checkpoints = [one["checkpoint"] for one in results.values() if "checkpoint" in one]
    ended = checkpoints[-1]["ended"] if checkpoints else ""
    told: dict[str, Any] = {
        "objective": spec.objective.value,
        "steps": max((record["step"] for record in records), default=0),
        "table": [{name: record.get(name) for name in columns} for record in records],
    }
    if last in results:
        told |= {"ended": ended or "ALL_STEPS", "because": ENDED[ended], **results[last]["stored"]}
    return told
