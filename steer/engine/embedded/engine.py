"""The embedded engine: one thread owns the network; callers hand over plans and get events."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from importlib.metadata import version
from typing import TypeVar

import torch
from transformers import PreTrainedModel

from steer.engine.base import Event, Lens, Sink
from steer.engine.embedded import pack
from steer.engine.embedded.forward import adopt
from steer.engine.embedded.lending import Loan, Loans
from steer.engine.embedded.loop import Loop
from steer.engine.embedded.selfcheck import unchanged
from steer.engine.rows import Job
from steer.engine.scheduler import Limits, Scheduler
from steer.errors import Cancelled, ServerError, SteerError, TooLarge, Unavailable
from steer.intervene import sites
from steer.intervene.operands import Array
from steer.intervene.ops import OPS
from steer.intervene.plan import Plan, PlannedArm, PlannedGate
from steer.models.load import LoadedModel
from steer.types import ModelInfo, Site

log = logging.getLogger("steer.engine")

T = TypeVar("T")
PAUSE = 0.05
"""Seconds to wait for a caller when every job waits for its own; deadlines pass meanwhile."""


class EmbeddedEngine:
    """Continuous batching over a model of transformers. See ``engine.base.Engine``.

    ``packing`` off keeps torch's own linear layers (for comparison). ``failed``: it has ended by
    itself, as after an error that the device does not recover from.
    """

    def __init__(self, model: LoadedModel, limits: Limits, packing: bool = True) -> None:
        self._points = sites.points(model.network)
        attention = model.network.config._attn_implementation or "eager"
        with unchanged(model.network):
            adopt(model.network)
        self._parameters = model.parameters  # before packing takes the weights' place
        if packing:
            pack.pack_linears(model.network)
        self._model, self._limits = model, limits
        self._scheduler = Scheduler(limits)
        self._loop = Loop(model, self._scheduler, attention)
        self._wake = threading.Condition()
        self._inbox: list[Callable[[], None]] = []
        self._loans = Loans()
        self._jobs: dict[str, Job] = {}
        self._drain_until: float | None = None
        self._ended = self._idle = self.failed = False
        # A daemon: where starting is broken off (Ctrl-C while a model loads) nobody can close it.
        self._thread = threading.Thread(target=self._run, name="steer-engine", daemon=True)
        self._thread.start()

    def submit(self, plan: Plan, sink: Sink) -> None:
        """See ``Engine.submit``."""
        job = Job(plan, sink, self._model.context_length, time.monotonic())
        with self._wake:
            if self._drain_until is not None:
                raise Unavailable("the engine is shutting down")
            self._scheduler.check(job, self._jobs.values())
            self._jobs[job.id] = job
            self._inbox.append(lambda: self._scheduler.waiting.append(job))
            self._wake.notify()

    def borrow(self, work: Callable[[PreTrainedModel], T]) -> Future[T]:
        """See ``Engine.borrow``."""
        loan = Loan(work)
        with self._wake:
            if self._drain_until is not None:
                raise Unavailable("the engine is shutting down")
            self._loans.append(loan)
            self._wake.notify()
        return loan.future

    def took(self, request_id: str, size: int) -> None:
        """See ``Engine.took``."""
        with suppress(Unavailable):
            self._post(lambda: self._took(request_id, size))

    def cancel(self, request_id: str) -> None:
        """See ``Engine.cancel``."""
        with suppress(Unavailable):  # an engine that has ended has no rows to free
            self._post(lambda: self._cancel(request_id))

    def norms(self, prompt: tuple[int, ...], sites: tuple[Site, ...]) -> Mapping[Site, float]:
        """See ``Reader.norms``. This and the next two block until the engine thread has run it."""
        return self._call(lambda: self._loop.norms(prompt, sites))

    def readings(self, prompt: tuple[int, ...], gates: Sequence[PlannedGate]) -> Sequence[float]:
        """See ``Reader.readings``."""
        return self._call(lambda: self._loop.readings(prompt, gates))

    def activations(self, arm: PlannedArm, sites: tuple[Site, ...]) -> Mapping[Site, Array]:
        """See ``Reader.activations``."""
        return self._call(lambda: self._loop.activations(arm, sites))

    def lens(self, directions: Sequence[Array], count: int) -> Sequence[Lens]:
        """See ``Engine.lens``."""
        return self._call(lambda: self._loop.lens(directions, count))

    def warm_up(self) -> None:
        """Run one pass, so that the first caller does not pay for lazy set-up."""
        self.norms((0,), ())

    def info(self) -> ModelInfo:
        """See ``Engine.info``."""
        model, config = self._model, self._model.network.config
        text = config.get_text_config()
        weight = model.network.get_input_embeddings().weight
        return ModelInfo(
            id=model.id,
            revision=model.revision,
            fingerprint=model.fingerprint,
            architecture=type(model.network).__name__,
            layers=len(sites.blocks(model.network)),
            d_model=model.d_model,
            vocab_size=text.vocab_size,
            context_length=model.context_length,
            parameters=self._parameters,
            dtype=str(weight.dtype).removeprefix("torch."),
            device=str(weight.device),
            points=self._points,
            ops=tuple(OPS),
            has_chat_template=model.text.has_chat_template,
            max_rows=self._limits.max_rows,
            kv_tokens=self._limits.kv_tokens,
            server_version=version("steer"),
        )

    def load(self) -> tuple[int, int]:
        """Rows running and rows waiting."""
        with self._wake:
            jobs = list(self._jobs.values())
        running = sum(job.slots for job in jobs if job.admitted is not None)
        return running, sum(job.slots for job in jobs) - running

    def drain(self, seconds: float) -> None:
        """See ``Engine.drain``."""
        with self._wake:
            self._drain_until = time.monotonic() + seconds
            self._wake.notify()

    def join(self) -> None:
        """See ``Engine.join``."""
        self._thread.join()

    def close(self, drain_seconds: float = 0.0) -> None:
        """See ``Engine.close``. Returns when the thread has ended."""
        self.drain(drain_seconds)
        self.join()

    def _call(self, function: Callable[[], T]) -> T:
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._post(run)
        return future.result()

    def _post(self, task: Callable[[], None]) -> None:
        with self._wake:
            if self._ended:
                raise Unavailable("the engine has stopped")
            self._inbox.append(task)
            self._wake.notify()

    # ---- on the engine thread -------------------------------------------------------------------

    def _run(self) -> None:
        why = Unavailable("the server is shutting down")
        with torch.inference_mode():
            try:
                while self._next_tasks():
                    self._lend()
                    try:
                        self._idle = not self._loop.step()
                    except Exception as error:
                        self._fail_all(_as_error(error))
                    self._deliver()
            except Exception:
                log.critical("the engine has failed; nothing is served any more", exc_info=True)
                self.failed = True
                message = "the engine has failed; the server's log says why"
                why = Unavailable(message, reason="ENGINE_FAILED")
            self._end(why)

    def _end(self, why: Unavailable) -> None:
        """Answer everybody who waits. Without the device where it can be: that may have failed."""
        with self._wake:
            self._ended, tasks = True, self._inbox
            if self._drain_until is None:
                self._drain_until = time.monotonic()
            jobs = [job for job in self._jobs.values() if not job.over]
        for job in jobs:
            job.end(why)
        for task in tasks:
            task()
        self._lend()
        self._deliver()

    def _next_tasks(self) -> bool:
        """Run what callers asked for; wait while there is nothing to do. False: time to end."""
        with self._wake:
            while not (self._inbox or self._jobs or self._loans or self._drain_until is not None):
                self._wake.wait()
            if self._idle and self._jobs and not self._inbox:
                self._wake.wait(PAUSE)
            tasks, self._inbox = self._inbox, []
            drained = self._drain_until is not None and (
                not self._jobs or time.monotonic() > self._drain_until
            )
        for task in tasks:
            task()
        return not drained

    def _lend(self) -> None:
        """Let one borrower have the network, if nobody waits for an answer; none is let any more
        when the engine is to end."""
        with self._wake:
            closing = self._drain_until is not None
            waited_for = not all(job.background for job in self._jobs.values())
            count = len(self._loans) if closing else min(len(self._loans), not waited_for)
            loans = [self._loans.popleft() for _ in range(count)]
        for loan in loans:
            if closing:
                loan.refuse(Unavailable("the engine is shutting down"))
            else:
                self._loop.lend(loan)

    def _took(self, request_id: str, size: int) -> None:
        if request_id in self._jobs:
            self._jobs[request_id].untaken -= size

    def _cancel(self, request_id: str) -> None:
        job = self._jobs.get(request_id)
        if job is not None and not job.over:
            self._loop.fail(job, Cancelled("the caller went away"))

    def _fail_all(self, error: SteerError) -> None:
        for job in [*self._scheduler.running, *self._scheduler.waiting]:
            self._loop.fail(job, error)

    def _deliver(self) -> None:
        """Hand over this step's events, once for each sink."""
        batches: dict[Sink, list[tuple[str, list[Event]]]] = defaultdict(list)
        with self._wake:
            for job in list(self._jobs.values()):
                if job.events:
                    batches[job.sink].append((job.id, job.events))
                    job.events = []
                if job.over:
                    del self._jobs[job.id]
        for sink, batch in batches.items():
            sink(batch)


def _as_error(error: Exception) -> SteerError:
    if isinstance(error, SteerError):
        return error
    if isinstance(error, torch.OutOfMemoryError):
        return TooLarge("the device is out of memory", reason="OUT_OF_MEMORY")
    log.error("a step failed; every trial in it fails", exc_info=error)
    return ServerError(f"{type(error).__name__}: {error}")
