"""What the same training brought to a model that never saw a trace: another run's records.

A vector trained on traces may teach what it seems to elicit. Where the same training does nothing
for a model without the skill, the skill was in the model.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from steer.errors import FailedPrecondition, InvalidRequest, SteerError, Violations
from steer.measure.records import MeasuredArm, Role
from steer.runs.evaluate.cast import subject_name
from steer.runs.evaluate.entries import Entry
from steer.runs.kind import Context, Json
from steer.specs import EvaluateSpec, Run, RunState
from steer.types import BASELINE, Arm

UNTAUGHT, UNSTEERED = "untaught", "untaught-baseline"
"""Names of the arms: that model with its vector, and without."""

_SAME = ("task", "split", "n", "samples", "sampling", "seed")
"""What both runs must have in common."""


def check(spec: EvaluateSpec, context: Context, path: str, found: Violations) -> None:
    """Note why the run that is named can not be compared."""
    try:
        run = context.archive.run(spec.untaught)
        _fits(spec, run, context)
    except SteerError as error:
        found.add(f"{path}.untaught", error.reason, error.message, type(error))


def arms(spec: EvaluateSpec) -> list[dict[str, Any]]:
    """What the arms are."""
    subject = subject_name(spec)
    measured = (
        MeasuredArm(UNSTEERED, Role.UNTAUGHT_BASELINE, of=subject),
        MeasuredArm(UNTAUGHT, Role.UNTAUGHT, of=subject),
    )
    return [Entry(about, Arm(about.name)).to_dict() for about in measured]


def records(spec: EvaluateSpec, context: Context) -> Iterator[Json]:
    """Their records, under their names here. Raises NotFound when the run was removed."""
    other = _evaluation(context.archive.run(spec.untaught))
    names = {BASELINE: UNSTEERED, subject_name(other): UNTAUGHT}
    for result in context.archive.results(spec.untaught).values():
        for row in result.get("records", ()):
            if row["arm"] in names and not row["retention"]:
                yield {**row, "arm": names[row["arm"]]}


def told(spec: EvaluateSpec, context: Context) -> Mapping[str, Any]:
    """Which run it is, of which model."""
    run = context.archive.run(spec.untaught)
    return {"run": run.id, "model": run.model, "fingerprint": run.fingerprint}


def _fits(spec: EvaluateSpec, run: Run, context: Context) -> None:
    other = _evaluation(run)
    if run.state is not RunState.SUCCEEDED:
        message = f"run {run.id!r} is {run.state}; it must have succeeded"
        raise FailedPrecondition(message, reason="RUN_NOT_DONE")
    if run.fingerprint == context.model.fingerprint:
        message = f"run {run.id!r} is about the model that is served, {run.model}"
        raise InvalidRequest(message, reason="SAME_MODEL")
    differs = [name for name in _SAME if getattr(spec, name) != getattr(other, name)]
    if differs:
        message = f"run {run.id!r} differs in {', '.join(differs)}, and can not be paired"
        raise InvalidRequest(message, reason="NOT_PAIRED")
    if not (other.arms and spec.arms):
        message = f"this run and {run.id!r} need a steered arm each"
        raise InvalidRequest(message, reason="NO_SUBJECT")


def _evaluation(run: Run) -> EvaluateSpec:
    work = run.spec.work if run.spec else None
    if not isinstance(work, EvaluateSpec):
        raise InvalidRequest(f"run {run.id!r} is no evaluation", reason="WRONG_KIND")
    return work
