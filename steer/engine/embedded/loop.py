"""The step loop: schedule → select tokens → forward with ops at sites → sample → emit."""

import time
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch

from steer.engine.base import Done, Lens
from steer.engine.branches import branches
from steer.engine.embedded import advance, probe, step
from steer.engine.embedded.advance import Target
from steer.engine.embedded.capture import Asked
from steer.engine.embedded.cursors import Cursors
from steer.engine.embedded.forward import forward
from steer.engine.embedded.lending import Loan, lent
from steer.engine.embedded.lens import lens
from steer.engine.embedded.readout import Answer, read
from steer.engine.embedded.sampler import uniforms
from steer.engine.embedded.slots import Slots
from steer.engine.embedded.steering import Steering, Work
from steer.engine.embedded.threads import Threads
from steer.engine.rows import Job, Kind, Row, give_shadow, prepare
from steer.engine.scheduler import Scheduler
from steer.engine.text import RowText
from steer.errors import DeadlineExceeded, FailedPrecondition, SteerError, Violations
from steer.intervene.operands import Array
from steer.intervene.plan import PlannedArm, PlannedGate
from steer.models.load import LoadedModel
from steer.types import Finished, FinishReason, ScoredArm, Site


class Loop:
    """What the engine thread owns: rows in slots, and interventions on the device. ``attention``:
    the implementation that the model came with."""

    def __init__(self, model: LoadedModel, scheduler: Scheduler, attention: str) -> None:
        self._model, self._scheduler = model, scheduler
        self._attention = attention
        self._network, self._eos = model.network, model.end_tokens
        self._device = model.device
        self._multiple = step.token_multiple(self._network.config.get_text_config(), self._device)
        self._threads = Threads(model.parameters, self._device)
        self._slots = Slots(scheduler.limits)
        self._steering = Steering(self._network, model.d_model)

    def step(self) -> bool:
        """Run one step; jobs collect their events. False: there was nothing to do."""
        self._expire()
        admitted = self._admit()
        work = self._scheduler.next()
        if work:
            targets, answers = self._compute(work)
            advance.append(targets, answers, self._eos)
        for job in list(self._scheduler.running):
            if job.started:
                self._part(job)
                self._finish_rows(job)
            elif not any(prefix.row.pending for prefix in job.prefixes):
                self._start(job)
                admitted = True
        return bool(work) or admitted

    def norms(self, prompt: tuple[int, ...], sites: tuple[Site, ...]) -> Mapping[Site, float]:
        """See ``Reader.norms``."""
        self._steering.rest()
        return probe.norms(self._network, prompt, sites, self._model.text.special)

    def readings(self, prompt: tuple[int, ...], gates: Sequence[PlannedGate]) -> Sequence[float]:
        """See ``Reader.readings``."""
        self._steering.rest()
        kept = probe.told(prompt, self._model.text.special)
        found = probe.activations(self._network, prompt, sorted({gate.site for gate in gates}))
        return [
            probe.decide(gate, found[gate.site], kept, self._steering.encoders(gate.site))
            for gate in gates
        ]

    def activations(self, arm: PlannedArm, sites: tuple[Site, ...]) -> Mapping[Site, Array]:
        """See ``Reader.activations``."""
        self._steering.rest()
        cursors = Cursors(self._model.text, len(arm.prompt))
        active = self._steering.attach(arm.interventions, cursors)
        try:
            self._steering.select([Work(active, 0, 0, arm.prompt)])
            found = probe.activations(self._network, arm.prompt, sites)
        finally:
            self._steering.settle()
            self._steering.detach(active)
        return {site: values.cpu().numpy() for site, values in found.items()}

    def lens(self, directions: Sequence[Array], count: int) -> Sequence[Lens]:
        """See ``Engine.lens``."""
        self._steering.rest()
        return lens(self._network, directions, count)

    def lend(self, loan: Loan[Any]) -> None:
        """Let somebody else work with the network."""
        self._steering.rest()
        self._threads.all()
        with lent(self._network, self._attention):
            loan.run(self._network)

    def fail(self, job: Job, error: SteerError) -> None:
        """End a job at once and free its rows."""
        if job in self._scheduler.running:
            self._scheduler.running.remove(job)
            rows = job.live()
            for row in rows:
                self._steering.detach(row.active)
            self._slots.leave(rows, wipe=True)
        else:
            self._scheduler.waiting.remove(job)
        job.end(error)

    def _expire(self) -> None:
        now = time.monotonic()
        for job in [*self._scheduler.running, *self._scheduler.waiting]:
            if job.plan.deadline is not None and now > job.plan.deadline:
                self.fail(job, DeadlineExceeded("the deadline passed before the trial ended"))

    def _admit(self) -> bool:
        admitted = False
        for job in self._scheduler.admit():
            admitted = True
            job.admitted = time.monotonic()
            prepare(job)
            self._slots.make_room(*self._scheduler.rectangle())
            for prefix in job.prefixes:
                self._slots.enter(prefix.row)
                self._attach(prefix.row, job, Cursors(self._model.text, prefix.row.prompt_length))
        return admitted

    def _attach(self, row: Row, job: Job, cursors: Cursors) -> None:
        row.active = self._steering.attach(row.arm.interventions, cursors)
        plan = job.plan.capture
        if plan is not None:
            row.capture = cursors.make(plan.where)
            self._steering.watch(plan.sites)
            self._steering.watch(readout.dictionary.site for readout in plan.features)

    def _start(self, job: Job) -> None:
        for prefix in job.prefixes:
            self._slots.fork(prefix)
            parent = prefix.row
            seen = parent.tokens[: parent.computed]
            cursors = Cursors(self._model.text, parent.prompt_length, seen)
            for row in prefix.children:
                self._attach(row, job, cursors)
                self._steering.inherit(row.active, prefix.row.active)
                self._equip(row, job)
            self._steering.detach(prefix.row.active)
        job.started = True

    def _equip(self, row: Row, job: Job) -> None:
        sampling = job.plan.sampling
        if row.kind is not Kind.ARM or job.plan.scoring:
            return
        prompt = tuple(row.tokens[: row.prompt_length])
        stream, keep = self._model.text.stream(prompt), job.plan.branching is not None
        row.text = RowText(stream, sampling.stop, keep)
        if sampling.temperature > 0:
            most = row.limit + 1 - row.prompt_length
            row.uniforms = uniforms(sampling.seed, row.sample, most)

    def _compute(self, work: Sequence[tuple[Row, int]]) -> tuple[list[Target], list[Answer]]:
        # Single tokens first and in slot order: then a decode step is one view of the rectangle.
        work = sorted(work, key=lambda item: (item[1] > 1, item[0].slot))
        spans = [row.tokens[row.computed : row.computed + count] for row, count in work]
        segments = [
            step.Segment(row.slot, row.computed, tokens)
            for (row, _), tokens in zip(work, spans, strict=True)
        ]
        offsets = [0, *accumulate(count for _, count in work)]
        self._steering.select(
            [
                Work(row.active, offset, row.computed, tokens)
                for (row, _), tokens, offset in zip(work, spans, offsets, strict=False)
                if row.active
            ]
        )
        jobs = {row: job for job in self._scheduler.running for row in job.live()}
        self._steering.capturing.select(_asked(jobs, work, spans, offsets))
        inputs = step.build(
            segments, len(self._slots), self._slots.kv.positions, self._device, self._multiple
        )
        targets, keep = self._targets(jobs, work, offsets)
        index = torch.tensor(keep, device=self._device, dtype=torch.long)
        self._threads.suit(offsets[-1])
        logits = forward(self._network, self._slots.kv, inputs, index)
        self._steering.settle()
        self._steering.capturing.collect()
        for row, count in work:
            row.computed += count
        if not targets:
            return [], []
        return targets, read(logits, advance.queries(targets, self._eos))

    def _targets(
        self,
        jobs: Mapping[Row, Job],
        work: Sequence[tuple[Row, int]],
        offsets: Sequence[int],
    ) -> tuple[list[Target], list[int]]:
        targets, keep = [], []
        for (row, count), offset in zip(work, offsets, strict=False):
            if row.kind is Kind.PREFIX:
                continue
            for place in range(count):
                index = row.computed + place - (row.prompt_length - 1)
                targets.append(Target(jobs[row], row, index))
                keep.append(offset + place)
        return targets, keep

    def _part(self, job: Job) -> None:
        for row, baseline in advance.parting(job):
            shadow = give_shadow(row, job)
            self._slots.copy(baseline, [shadow])

    def _finish_rows(self, job: Job) -> None:
        ended = [row for row in job.rows if row.ended and row.slot >= 0]
        for row in ended:
            row.receipts = self._steering.detach(row.active)
            shadow = row.reference if row.own_reference else None
            self._slots.leave([row, shadow] if shadow else [row])
            if not job.plan.scoring:
                job.events.append(self._finished(job, row))
        silent = _silent(ended).error()
        if silent is not None:
            self.fail(job, silent)
        elif all(row.ended for row in job.rows):
            self._complete(job)

    def _finished(self, job: Job, row: Row) -> Finished:
        assert row.finish is not None
        stop = row.text.stopped_by if row.text else ""
        if row.finish is FinishReason.STOP:
            stop = self._model.text.pieces((row.tokens[-1],))[0]
        usage = advance.usage(job, row, time.monotonic())
        return Finished(row.arm.name, row.sample, row.finish, stop, usage, row.receipts)

    def _complete(self, job: Job) -> None:
        self._scheduler.running.remove(job)
        job.over = True
        if job.plan.scoring:
            job.events.append(Done((), _scores(job)))
        else:
            measured = advance.measurements(job) if job.plan.measure else ()
            branched = branches(job, self._model.text) if job.plan.branching else ()
            job.events.append(Done(measured, branches=branched))


def _asked(
    jobs: Mapping[Row, Job],
    work: Sequence[tuple[Row, int]],
    spans: Sequence[Sequence[int]],
    offsets: Sequence[int],
) -> list[Asked]:
    """What is to be read of the rows of a step."""
    asked = []
    for (row, _), tokens, offset in zip(work, spans, offsets, strict=False):
        if row.capture is not None:
            given = row.capture.take(row.computed, tokens)
            places = [place for place, multiplier in enumerate(given) if multiplier]
            if places:
                at = tuple(offset + place for place in places)
                positions = tuple(row.computed + place for place in places)
                asked.append(Asked(jobs[row], row, at, positions))
    return asked


def _scores(job: Job) -> tuple[ScoredArm, ...]:
    return tuple(
        ScoredArm(row.arm.name, tuple(row.logprobs), tuple(row.ranks), tuple(row.kl), row.receipts)
        for row in job.rows
    )


def _silent(ended: Sequence[Row]) -> Violations:
    """The interventions that had to fire and did not."""
    found = Violations()
    for row in ended:
        for receipt in row.receipts:
            item = row.arm.interventions[receipt.intervention]
            if item.must_fire and not receipt.tokens:
                message = (
                    f"arm {row.arm.name!r}: intervention {receipt.intervention} "
                    f"({receipt.op} {receipt.operand}) touched no token at {receipt.site}"
                )
                at = f"{item.path}.must_fire"
                found.add(at, "DID_NOT_FIRE", message, FailedPrecondition)
    return found
