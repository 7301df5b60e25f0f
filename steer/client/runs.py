"""Stored runs behind a client."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from steer.client import run_calls
from steer.client.arms import Treatment
from steer.client.evaluations import EvaluateOptions, make_evaluation
from steer.client.extractions import ExtractOptions, make_extraction
from steer.client.run_table import as_pandas, records
from steer.client.sweeps import SweepOptions, make_sweep
from steer.client.trainings import TrainOptions, make_training
from steer.client.watching import Watching, succeeded
from steer.errors import SteerError
from steer.specs import (
    InlineTask,
    Run,
    RunEvent,
    RunReport,
    RunSpec,
    RunState,
    UnitResult,
    Work,
)

if TYPE_CHECKING:
    from steer.client.client import Client


class Runs:
    """Long jobs that the server keeps: they go on when the caller is gone, and after a crash."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def create(
        self,
        spec: RunSpec | Work,
        *,
        name: str = "",
        run_id: str = "",
        timeout: float | None = None,
    ) -> "RunHandle":
        """Queue a run. ``name``: for people, of a spec that has none. ``run_id``: when a run of
        this id does the same, that one is returned, so that a call can be repeated.

        Raises InvalidRequest, NotFound or FailedPrecondition with everything wrong with the spec.
        """
        run = self._client._unary(run_calls.create(spec, name, run_id), timeout)
        return RunHandle(self, run)

    def evaluate(
        self,
        task: str | InlineTask,
        intervention: Treatment | None = None,
        *,
        name: str = "",
        run_id: str = "",
        timeout: float | None = None,
        **options: Unpack[EvaluateOptions],
    ) -> "RunHandle":
        """Queue an evaluation: ``task`` by name or as ``steer.jsonl_task`` reads it. A single
        intervention is the arm ``steered``; more go into ``arms={name: recipe}``. For the options
        see ``EvaluateOptions``; the rest and errors as in ``create``."""
        spec = make_evaluation(task, intervention, **options)
        return self.create(spec, name=name, run_id=run_id, timeout=timeout)

    def sweep(
        self,
        task: str | InlineTask,
        intervention: Treatment | None = None,
        *,
        name: str = "",
        run_id: str = "",
        timeout: float | None = None,
        **options: Unpack[SweepOptions],
    ) -> "RunHandle":
        """Queue a sweep: the intervention at every layer, point and strength on the split
        ``select``, the best of them with all controls on ``report``. For the options see
        ``SweepOptions``; the rest as in ``evaluate``."""
        spec = make_sweep(task, intervention, **options)
        return self.create(spec, name=name, run_id=run_id, timeout=timeout)

    def extract(
        self,
        into: str,
        *,
        name: str = "",
        run_id: str = "",
        timeout: float | None = None,
        **options: Unpack[ExtractOptions],
    ) -> "RunHandle":
        """Queue the extraction of a vector that is stored as ``into``: from texts of two classes,
        prompts between two cues, or a task and its cue. For the options see ``ExtractOptions``; the
        rest as in ``create``."""
        spec = make_extraction(into, **options)
        return self.create(spec, name=name, run_id=run_id, timeout=timeout)

    def train(
        self,
        into: str,
        *,
        name: str = "",
        run_id: str = "",
        timeout: float | None = None,
        **options: Unpack[TrainOptions],
    ) -> "RunHandle":
        """Queue the training of a vector that is stored as ``into``: by a task's rewards, or on
        right traces or demonstrations. For the options see ``TrainOptions``; the rest as in
        ``create``."""
        spec = make_training(into, **options)
        return self.create(spec, name=name, run_id=run_id, timeout=timeout)

    def get(self, run_id: str, *, timeout: float | None = None) -> "RunHandle":
        """One run. Raises NotFound."""
        return RunHandle(self, self._client._unary(run_calls.get(run_id), timeout))

    def list(
        self,
        *,
        kind: str = "",
        states: Iterable[str | RunState] = (),
        timeout: float | None = None,
    ) -> Iterator[Run]:
        """Runs, newest first, without their specs; pages are fetched as they are needed."""
        token, more, wanted = "", True, tuple(states)
        while more:
            runs, token = self._client._unary(run_calls.page(token, kind, wanted), timeout)
            yield from runs
            more = bool(token)

    def watch(
        self,
        run_id: str,
        *,
        after: int = 0,
        results: bool = False,
        timeout: float | None = None,
    ) -> Iterator[RunEvent]:
        """Follow a run until it is over: an event at once, and whenever something changed.

        ``after``: the ``sequence`` of an event, to go on behind it. ``results``: with the results
        of units. ``timeout``: seconds for all of it; None waits as long as it takes. A server that
        goes away and comes back, within five minutes, is waited for.
        """
        watching = Watching(run_id, after, results, timeout)
        while not watching.over:
            try:
                for event in self._client._messages(watching.call(), watching.seconds):
                    watching.saw(event)
                    yield event
                continue
            except SteerError as error:
                pause = watching.pause(error)
            time.sleep(pause)

    def cancel(self, run_id: str, *, timeout: float | None = None) -> Run:
        """Stop a run; its results stay. Raises NotFound."""
        return self._client._unary(run_calls.cancel(run_id), timeout)

    def delete(self, run_id: str, *, timeout: float | None = None) -> None:
        """Remove a run and its results, whatever its state. Raises NotFound."""
        self._client._unary(run_calls.delete(run_id), timeout)

    def report(self, run_id: str, *, timeout: float | None = None) -> RunReport:
        """The report of a run, of what there is. Raises NotFound."""
        return self._client._unary(run_calls.report(run_id), timeout)


class RunHandle:
    """A run on the server. ``run``: what was last heard of it. ``warnings``: what its sample is
    too small to show."""

    def __init__(self, runs: Runs, run: Run) -> None:
        self._runs = runs
        self.run = run
        self.warnings = run.warnings

    @property
    def id(self) -> str:
        """Its id, to come back to it."""
        return self.run.id

    def refresh(self, *, timeout: float | None = None) -> Run:
        """Ask how far it is."""
        self.run = self._runs.get(self.id, timeout=timeout).run
        return self.run

    def progress(self, *, timeout: float | None = None) -> Iterator[Run]:
        """How far it is, at once, whenever that changes, and when it is over."""
        for event in self._runs.watch(self.id, timeout=timeout):
            self.run = event.run
            yield event.run

    def events(self, *, timeout: float | None = None) -> Iterator[RunEvent]:
        """``progress`` with the results of units, those there are first."""
        for event in self._runs.watch(self.id, results=True, timeout=timeout):
            self.run = event.run
            yield event

    def wait(self, *, timeout: float | None = None) -> Run:
        """The run when it has succeeded. Raises what it failed with, Cancelled when somebody
        stopped it, DeadlineExceeded after ``timeout`` seconds."""
        for _ in self.progress(timeout=timeout):
            pass
        return succeeded(self.run)

    def results(self, *, timeout: float | None = None) -> list[UnitResult]:
        """The results there are, in the order in which they were stored."""
        end = self.refresh(timeout=timeout).sequence
        found: list[UnitResult] = []
        for event in self._runs.watch(self.id, results=True, timeout=timeout):
            found += event.results
            if event.sequence >= end:
                break
        return found

    def report(self, *, timeout: float | None = None) -> Mapping[str, Any]:
        """The report, of what there is."""
        return self._runs.report(self.id, timeout=timeout).report

    def to_pandas(self, *, timeout: float | None = None) -> Any:
        """A ``pandas.DataFrame`` with a line for each record there is. Raises ImportError without
        pandas."""
        return as_pandas(records(self.results(timeout=timeout)))

    def cancel(self, *, timeout: float | None = None) -> Run:
        """Stop it; its results stay."""
        self.run = self._runs.cancel(self.id, timeout=timeout)
        return self.run

    def delete(self, *, timeout: float | None = None) -> None:
        """Remove it and its results."""
        self._runs.delete(self.id, timeout=timeout)

    def __repr__(self) -> str:
        run = self.run
        return f"<run {run.id}: {run.kind}, {run.state}, {run.done} of {run.total} units>"
