"""Executes stored runs, one after the other, in a thread of its own."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from steer.engine.base import Engine
from steer.errors import ServerError, SteerError
from steer.intervene.planner import Planner
from steer.runs.archive import DatabaseArchive
from steer.runs.background import Background
from steer.runs.claim import Candidate, Claim, Claims, Lost
from steer.runs.database import Database
from steer.runs.faults import DatabaseProblem
from steer.runs.heart import Heart, Stop
from steer.runs.kind import Json, Kind
from steer.runs.ledger import Ledger
from steer.specs import RunFailure, RunSpec

log = logging.getLogger("steer.runs")

T = TypeVar("T")

BEATS = 4
"""Beats of a heart within a lease."""
POLL = 1.0
"""Seconds between looks for runs that another server queued or left."""


class Worker:
    """Takes runs that fit its model and store, and executes them until ``close``.

    Of several workers on one database each run is executed by one. ``lease``: seconds after which
    a run whose worker shows no sign of life is taken over, by this one's clock alone. ``read``:
    makes a spec of its stored text. A run whose worker was killed goes on with the units that have
    no result; a result is stored once, by whoever has the run.
    """

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, Kind[Any]],
        engine: Engine,
        planner: Planner,
        read: Callable[[str], RunSpec],
        lease: float = 10.0,
    ) -> None:
        self._database, self._ledger = database, Ledger(database)
        self._archive = DatabaseArchive(self._ledger, read)
        self._claims = Claims(database, uuid.uuid4().hex)
        self._kinds, self._read, self._lease = kinds, read, lease
        self._engine, self._planner = engine, planner
        self._seen: dict[str, tuple[int, float]] = {}
        self._left: set[str] = set()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="steer-runs")
        self._thread.start()

    def wake(self) -> None:
        """Look for runs now."""
        self._wake.set()

    def stop(self) -> None:
        """Begin to give up the run under way, for whoever comes next, and to end. Call it before
        the engine is told to drain."""
        self._closing.set()
        self._stop.set()
        self._wake.set()

    def close(self) -> None:
        """``stop``; returns when the thread has ended."""
        self.stop()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                claim = self._next()
                if claim is not None:
                    self._execute(claim)
                    continue
            except DatabaseProblem as error:
                log.warning("%s; trying again", error.message)
            except Lost:
                continue
            except Exception:
                log.exception("the worker of runs failed; it goes on")
            self._wake.wait(POLL)

    # ---- which run ------------------------------------------------------------------------------

    def _next(self) -> Claim | None:
        candidates = self._claims.candidates()
        self._forget(candidates)
        for candidate in candidates:
            if self._free(candidate) and (candidate.cancelling or self._fits(candidate)):
                claim = self._claims.take(candidate)
                if claim is not None:
                    return claim
        return None

    def _forget(self, candidates: Iterable[Candidate]) -> None:
        there = {candidate.id for candidate in candidates}
        self._seen = {run_id: seen for run_id, seen in self._seen.items() if run_id in there}
        self._left &= there

    def _free(self, candidate: Candidate) -> bool:
        """Whether nobody executes a run, or they have shown no sign of life for a lease."""
        if candidate.owner in ("", self._claims.owner):
            return True
        beat, since = self._seen.get(candidate.id, (None, 0.0))
        if beat != candidate.beat:
            self._seen[candidate.id] = (candidate.beat, time.monotonic())
            return False
        return time.monotonic() - since > self._lease

    def _fits(self, candidate: Candidate) -> bool:
        mine = self._planner.model.fingerprint
        if candidate.kind not in self._kinds or candidate.fingerprint != mine:
            return False
        try:
            for address in candidate.pins:
                self._planner.store.resolve(address)
        except SteerError as error:
            if candidate.id not in self._left:
                log.warning("run %s is left to another server: %s", candidate.id, error.message)
            self._left.add(candidate.id)
            return False
        return True

    # ---- one run --------------------------------------------------------------------------------

    def _execute(self, claim: Claim) -> None:
        self._stop.clear()
        if self._closing.is_set():
            self._stop.set()
        if claim.beat():
            claim.cancelled()
            return
        log.info("run %s begins, or goes on", claim.run_id)
        with Heart(claim, self._lease / BEATS, self._stop) as heart:
            try:
                claim.succeed(self._report(claim))
                log.info("run %s is done", claim.run_id)
            except DatabaseProblem:
                raise
            except Lost:
                log.info("run %s was deleted, or taken over", claim.run_id)
            except Exception as error:
                self._end(claim, heart, error)

    def _report(self, claim: Claim) -> Json:
        spec = self._read(self._ledger.spec(claim.run_id)).work
        kind = self._kinds[spec.kind]
        context = Background(self._engine, self._planner, self._stop, claim.result, self._archive)
        if not claim.begun():
            claim.begin(kind.units(spec, context))
        if pending := claim.pending():
            with _closing(kind.execute(spec, pending, context)) as results:
                for unit, result in results:
                    claim.store(unit, result)
        if missing := claim.pending():
            raise RuntimeError(f"kind {kind.name} left {len(missing)} units undone")
        return kind.report(spec, self._ledger.results(claim.run_id))

    def _end(self, claim: Claim, heart: Heart, error: Exception) -> None:
        """What becomes of a run that ended with an error, or was stopped."""
        try:
            if heart.reason is Stop.CANCELLED:
                claim.cancelled()
            elif self._closing.is_set():
                claim.release()
            elif heart.reason is None:
                claim.fail(_failure(claim, error))
        except Lost:
            log.info("run %s was deleted, or taken over", claim.run_id)


@contextmanager
def _closing(results: Iterator[T]) -> Iterator[Iterator[T]]:
    """Frees the rows of what is under way when its results are not wanted to the end."""
    try:
        yield results
    finally:
        if isinstance(results, Generator):
            results.close()


def _failure(claim: Claim, error: Exception) -> RunFailure:
    if not isinstance(error, SteerError):
        log.error("run %s failed", claim.run_id, exc_info=error)
        error = ServerError(f"{type(error).__name__}: {error}")
    else:
        log.warning("run %s failed: %s", claim.run_id, error.message)
    return RunFailure(error.code, error.reason, error.message)
