"""The calls of RunService as data."""

from collections.abc import Iterable

import steer.v1 as pb
from steer import wire
from steer.client.calls import Call
from steer.client.checked import build, member
from steer.specs import Run, RunEvent, RunReport, RunSpec, RunState, Work, new_run_id
from steer.wire.enums import RUN_STATE

RUNS = "/steer.v1.RunService/"


def create(spec: RunSpec | Work, name: str, run_id: str) -> Call[Run]:
    """A run to begin. Without an id it gets one here: the channel may send the call again."""
    whole = spec if isinstance(spec, RunSpec) else RunSpec(spec, name)
    message = build(wire.build_run_spec, whole)
    request = build(pb.CreateRunRequest, spec=message, run_id=run_id or new_run_id())
    return Call(RUNS + "CreateRun", request, pb.CreateRunResponse, _read)


def get(run_id: str) -> Call[Run]:
    """One run."""
    request = build(pb.GetRunRequest, run_id=run_id)
    return Call(RUNS + "GetRun", request, pb.GetRunResponse, _read)


def page(
    token: str, kind: str, states: Iterable[str | RunState]
) -> Call[tuple[tuple[Run, ...], str]]:
    """One page of runs, and the token of the next page."""
    wanted = [RUN_STATE.build(member(RunState, state)) for state in states]
    request = build(pb.ListRunsRequest, page_token=token, kind=kind, states=wanted)
    return Call(RUNS + "ListRuns", request, pb.ListRunsResponse, _read_page)


def watch(run_id: str, after: int, results: bool) -> Call[RunEvent]:
    """A run to follow; what is read is the event of one message."""
    request = build(pb.WatchRunRequest, run_id=run_id, after_sequence=after, results=results)
    return Call(RUNS + "WatchRun", request, pb.WatchRunResponse, wire.parse_event)


def cancel(run_id: str) -> Call[Run]:
    """A run to stop."""
    request = build(pb.CancelRunRequest, run_id=run_id)
    return Call(RUNS + "CancelRun", request, pb.CancelRunResponse, _read)


def delete(run_id: str) -> Call[None]:
    """A run to remove."""
    request = build(pb.DeleteRunRequest, run_id=run_id)
    return Call(RUNS + "DeleteRun", request, pb.DeleteRunResponse, lambda _: None)


def report(run_id: str) -> Call[RunReport]:
    """A report."""
    request = build(pb.GetReportRequest, run_id=run_id)
    return Call(RUNS + "GetReport", request, pb.GetReportResponse, wire.parse_report)


def _read(message: pb.CreateRunResponse | pb.GetRunResponse | pb.CancelRunResponse) -> Run:
    return wire.parse_run(message.run)


def _read_page(message: pb.ListRunsResponse) -> tuple[tuple[Run, ...], str]:
    return tuple(map(wire.parse_run, message.runs)), message.next_page_token
