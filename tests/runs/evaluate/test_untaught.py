"""The capacity control of another model: what of its run counts here, and what can not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from steer.errors import InvalidRequest, NotFound, SteerError
from steer.measure.records import Role
from steer.runs.evaluate.kind import Evaluate
from steer.specs import Controls, EvaluateSpec, ExtractSpec, Run, RunSpec, RunState
from steer.types import Arm
from tests.runs.evaluate.conftest import SPEC

THERE = replace(SPEC, controls=Controls.NONE, strengths=())
HERE = replace(THERE, untaught="other")


@dataclass(frozen=True)
class Shelf:
    """One run of another model."""

    spec: Any = THERE
    state: RunState = RunState.SUCCEEDED
    fingerprint: str = "another"
    kept: Mapping[str, Any] | None = None

    def run(self, run_id: str) -> Run:
        if run_id != "other":
            raise NotFound(f"no run {run_id!r}", reason="RUN_NOT_FOUND")
        about = ("hash", "organism/other", self.fingerprint, 0.0)
        return Run(run_id, "", "evaluate", self.state, *about, spec=RunSpec(self.spec))

    def results(self, run_id: str) -> Mapping[str, Any]:
        return self.kept or {}


def test_its_arms_are_measured_against_its_own_baseline(done, a1):
    """The other model is this one here, where the training brings it everything."""
    context = replace(a1, archive=Shelf(kept=done.results))
    kind = Evaluate()
    kind.check(HERE, context)
    units = kind.units(HERE, context)
    results = {unit.key: result for unit, result in kind.execute(HERE, units, context)}
    report = kind.report(HERE, {unit.key: results[unit.key] for unit in units})

    table = {row["role"]: row for row in report["table"]}
    own, plain = table[Role.UNTAUGHT], table[Role.UNTAUGHT_BASELINE]
    assert own["accuracy"] == table[Role.STEERED]["accuracy"] and own["items"] == SPEC.n
    assert plain["accuracy"] == table[Role.BASELINE]["accuracy"] and plain["difference"] is None
    assert own["retention"] is None
    assert report["untaught"] == {
        "run": "other",
        "model": "organism/other",
        "fingerprint": "another",
    }
    (verdict,) = report["verdicts"]
    findings = {finding["rule"]: finding["holds"] for finding in verdict["findings"]}
    assert findings["a model that never saw a trace learns it too"] is True
    # All of the other run's records are there at once; this one's own are not.
    begun = kind.report(HERE, {key: results[key] for key in ("cast", "problems-0", "retention-0")})
    assert "8 of 24 problems" in begun["verdicts"][0]["because"][0]


@pytest.mark.parametrize(
    ("shelf", "reason"),
    [
        (Shelf(state=RunState.RUNNING), "RUN_NOT_DONE"),
        (Shelf(spec=replace(THERE, n=7)), "NOT_PAIRED"),
        (Shelf(spec=replace(THERE, seed=3, split="select")), "NOT_PAIRED"),
        (Shelf(spec=replace(THERE, arms=())), "NO_SUBJECT"),
        (Shelf(spec=ExtractSpec("somewhere")), "WRONG_KIND"),
    ],
)
def test_a_run_that_can_not_be_compared(shelf, reason, a1):
    with pytest.raises(SteerError) as caught:
        Evaluate().check(HERE, replace(a1, archive=shelf))
    told = {(one.field, one.reason) for one in caught.value.violations}
    assert told == {("spec.evaluate.untaught", reason)}


def test_the_other_model_is_another_one(a1):
    same = Shelf(fingerprint=a1.model.fingerprint)
    with pytest.raises(InvalidRequest, match="the model that is served"):
        Evaluate().check(HERE, replace(a1, archive=same))


def test_its_names_are_taken(a1):
    spec: EvaluateSpec = replace(HERE, arms=(*HERE.arms, Arm("untaught")))
    with pytest.raises(InvalidRequest, match="adds itself"):
        Evaluate().check(spec, replace(a1, archive=Shelf()))
