"""Stored runs: how far they are and what came of them."""

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

import steer.v1 as pb
from steer.specs import Run, RunEvent, RunFailure, RunReport, RunState, UnitResult
from steer.wire.check import Check
from steer.wire.enums import RUN_STATE
from steer.wire.specs import build_run_spec, read_run_spec

# Fields that have one name and one plain type in both worlds.
_RUN = ("id name kind spec_hash model fingerprint sequence total done attempts cancelling").split()
_TIMES = ("created", "started", "ended")
_FAILURE = ("code", "reason", "message")


def build_run(run: Run) -> pb.Run:
    """A run."""
    return pb.Run(
        **{name: getattr(run, name) for name in _RUN},
        created=_build_time(run.created),
        started=_build_time(run.started),
        ended=_build_time(run.ended),
        state=RUN_STATE.build(run.state),
        spec=None if run.spec is None else build_run_spec(run.spec),
        failure=None if run.failure is None else _build_failure(run.failure),
        warnings=run.warnings,
    )


def parse_run(message: pb.Run) -> Run:
    """A run."""
    given: dict[str, Any] = {name: getattr(message, name) for name in _RUN}
    for name in _TIMES:
        if message.HasField(name):
            given[name] = getattr(message, name).ToMicroseconds() / 1e6
    if message.HasField("spec"):
        given["spec"] = read_run_spec(message.spec, Check.begin())
    if message.HasField("failure"):
        given["failure"] = RunFailure(*(getattr(message.failure, name) for name in _FAILURE))
    state = RUN_STATE.find(message.state) or RunState.RUNNING
    return Run(state=state, warnings=tuple(message.warnings), **given)


def read_states(message: pb.ListRunsRequest, check: Check) -> tuple[RunState, ...]:
    """The field ``states`` of a request."""
    return tuple(
        RUN_STATE.parse(number, check.at("states", index))
        for index, number in enumerate(message.states)
    )


def build_event(event: RunEvent) -> pb.WatchRunResponse:
    """One message of a watched run."""
    return pb.WatchRunResponse(
        sequence=event.sequence,
        run=build_run(event.run),
        results=[
            pb.UnitResult(key=one.key, sequence=one.sequence, result_json=_text(one.result))
            for one in event.results
        ],
    )


def parse_event(message: pb.WatchRunResponse) -> RunEvent:
    """One message of a watched run."""
    results = (
        UnitResult(one.key, one.sequence, json.loads(one.result_json)) for one in message.results
    )
    return RunEvent(message.sequence, parse_run(message.run), tuple(results))


def build_report(report: RunReport) -> pb.GetReportResponse:
    """A report."""
    return pb.GetReportResponse(run=build_run(report.run), report_json=_text(report.report))


def parse_report(message: pb.GetReportResponse) -> RunReport:
    """A report."""
    return RunReport(parse_run(message.run), json.loads(message.report_json))


def _text(value: Mapping[str, Any]) -> str:
    # ASCII: a text with half a surrogate pair is no UTF-8.
    return json.dumps(value, separators=(",", ":"))


def _build_failure(failure: RunFailure) -> pb.RunFailure:
    return pb.RunFailure(**{name: getattr(failure, name) for name in _FAILURE})


def _build_time(seconds: float | None) -> Timestamp | None:
    if seconds is None:
        return None
    time = Timestamp()
    time.FromMicroseconds(round(seconds * 1e6))
    return time
