"""RunService: thin handlers between the wire and stored runs."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import steer.v1 as pb
from steer import wire
from steer.errors import SteerError, Unavailable
from steer.runs import pins
from steer.runs.clock import now
from steer.runs.counts import counted
from steer.runs.evaluate.sample import too_small
from steer.runs.schema import LONGEST_ID
from steer.server.interceptor import Context
from steer.server.paging import page_size
from steer.server.run_office import RunOffice
from steer.server.threads import settled
from steer.specs import Run, RunEvent, RunSpec, RunState, UnitResult, new_run_id

POLL = 0.2
"""Seconds between looks at a run that is watched: another server may execute it."""
RESULT_CHARACTERS = 2**20
"""About how much of results goes into one message."""
_ID = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{LONGEST_ID - 1}}}")


class RunService(pb.RunServiceServicer):
    """Answers once ``office`` is set; until then, and after ``close``, every call is UNAVAILABLE.
    Where the database can not be used ``office`` is why."""

    def __init__(self) -> None:
        self.office: RunOffice | SteerError | None = None
        self._closing = asyncio.Event()

    @property
    def _ready(self) -> RunOffice:
        if self.office is None:
            raise Unavailable("the model is loading", reason="LOADING")
        if isinstance(self.office, SteerError):
            raise self.office
        return self.office

    def stop(self) -> None:
        """End all watching, and begin to give up the run under way, for whoever comes next."""
        self._closing.set()
        if isinstance(self.office, RunOffice):
            self.office.worker.stop()

    async def close(self) -> None:
        """``stop``; returns when the run is given up."""
        self.stop()
        if isinstance(self.office, RunOffice):
            await settled(self.office.worker.close)

    def dispose(self) -> None:
        """Let go of the database, when no call is left."""
        if isinstance(self.office, RunOffice):
            self.office.database.close()

    async def CreateRun(
        self, request: pb.CreateRunRequest, context: Context
    ) -> pb.CreateRunResponse:
        """Judge, pin and queue."""
        office = self._ready
        spec, found = wire.read_run_spec(request.spec)
        if request.run_id and not _ID.fullmatch(request.run_id):
            message = f"is {request.run_id!r}; give at most {LONGEST_ID} of a-z, 0-9 and -"
            found.add("run_id", "MALFORMED", message)
        found.raise_if_any()
        spec = await settled(counted, spec)
        run = await settled(_create, office, spec, request.run_id)
        office.worker.wake()
        return pb.CreateRunResponse(run=wire.build_run(_warned(run, spec)))

    async def GetRun(self, request: pb.GetRunRequest, context: Context) -> pb.GetRunResponse:
        """One run with its spec."""
        run = await settled(self._ready.archive.run, request.run_id)
        return pb.GetRunResponse(run=wire.build_run(_warned(run, run.spec)))

    async def ListRuns(self, request: pb.ListRunsRequest, context: Context) -> pb.ListRunsResponse:
        """A page of runs, newest first."""
        ledger, states, size = self._ready.ledger, wire.parse_states(request), page_size(request)
        page, token = await settled(ledger.page, request.page_token, size, request.kind, states)
        return pb.ListRunsResponse(runs=map(wire.build_run, page), next_page_token=token)

    async def WatchRun(
        self, request: pb.WatchRunRequest, context: Context
    ) -> AsyncIterator[pb.WatchRunResponse]:
        """Progress, and results, until the run is over."""
        office, sequence, first = self._ready, request.after_sequence, True
        while True:
            event = await settled(_event, office, request, sequence)
            if first or event.sequence > sequence:
                yield wire.build_event(event)
            first, sequence = False, max(event.sequence, sequence)
            if event.results:
                continue
            if event.run.state.final:
                return
            await self._pause()

    async def CancelRun(
        self, request: pb.CancelRunRequest, context: Context
    ) -> pb.CancelRunResponse:
        """Stop a run."""
        run = await settled(self._ready.ledger.cancel, request.run_id)
        return pb.CancelRunResponse(run=wire.build_run(run))

    async def DeleteRun(
        self, request: pb.DeleteRunRequest, context: Context
    ) -> pb.DeleteRunResponse:
        """Remove a run."""
        await settled(_delete, self._ready, request.run_id)
        return pb.DeleteRunResponse()

    async def GetReport(
        self, request: pb.GetReportRequest, context: Context
    ) -> pb.GetReportResponse:
        """The report, of what there is."""
        office = self._ready
        report = await settled(office.archive.report, request.run_id, office.kinds)
        return wire.build_report(report)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), POLL)
        except TimeoutError:
            return
        raise Unavailable("the server is shutting down; the run goes on when it is back")


def _warned(run: Run, spec: RunSpec | None) -> Run:
    return run if spec is None else replace(run, warnings=too_small(spec.work))


def _create(office: RunOffice, spec: RunSpec, run_id: str) -> Run:
    asked = wire.run_spec_hash(wire.run_spec_to_json(spec))
    known = office.ledger.known(run_id, asked) if run_id else None
    if known is not None:
        return known
    run_id = run_id or new_run_id()
    core, kind = office.core, office.kinds[spec.work.kind]
    kind.check(spec.work, office.context)
    pinned, addresses = pins.pin(spec, core.store, core.planner.recipes, run_id)
    text = wire.run_spec_to_json(pinned)
    run = Run(
        id=run_id,
        name=spec.name,
        kind=kind.name,
        state=RunState.QUEUED,
        spec_hash=wire.run_spec_hash(text),
        model=core.model.id,
        fingerprint=core.model.fingerprint,
        created=now(),
    )
    try:
        return office.ledger.create(run, text, asked, addresses)
    except SteerError as error:
        if error.reason != "RUN_EXISTS":  # what that one refers to has the same name
            pins.release(addresses, core.store, run_id)
        raise


def _event(office: RunOffice, request: pb.WatchRunRequest, sequence: int) -> RunEvent:
    run, ledger = office.ledger.get(request.run_id), office.ledger
    results: tuple[UnitResult, ...] = ()
    if request.results:
        results = ledger.results_after(run.id, sequence, RESULT_CHARACTERS)
    return RunEvent(results[-1].sequence if results else run.sequence, run, results)


def _delete(office: RunOffice, run_id: str) -> None:
    pins.release(office.ledger.delete(run_id), office.core.store, run_id)
