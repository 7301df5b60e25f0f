"""Which rows run, and how many tokens of each enter the next step. No torch.

First come, first served: a job is admitted with all its rows or waits, so that the arms of a
trial always run in the same forward passes. Jobs in the background come after all others: none is
admitted while another kind waits, together they leave room for one that comes, their prompts get
what is left of a step, and while somebody waits for an answer they take part in few steps.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from steer.engine.rows import Job, Row
from steer.errors import Overloaded, TooLarge

TARGETS = 64
"""Most tokens of one row in a step when each needs logits (forced prefixes, teacher forcing)."""
BACKGROUND_SHARE = 0.75
"""Up to here a job in the background may fill the rows and the key-value memory, so that one that
somebody waits for finds room at once. A job that needs more runs alone."""
BACKGROUND_TURN = 8
"""While other jobs run, those in the background take part in one step of so many: nobody waits for
them, and a step with all of their rows takes many times as long."""
LEAST_PREFILL = 16
"""Prefill tokens a step takes even when decoding rows alone fill it, so that prompts advance."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_rows`` at once; ``kv_tokens`` in the key-value rectangle; ``step_tokens`` in a forward
    pass; ``max_queue`` rows waiting."""

    max_rows: int
    kv_tokens: int
    step_tokens: int
    max_queue: int


@dataclass
class Scheduler:
    """Queue, running jobs and the next step's work."""

    limits: Limits
    waiting: deque[Job] = field(default_factory=deque)
    running: list[Job] = field(default_factory=list)
    _steps: int = 0

    def check(self, job: Job, others: Iterable[Job]) -> None:
        """Refuse a job that can never fit, or for which there is no room in the queue, where
        ``others`` wait or run. In the background no more may wait than can follow at once."""
        self._check_size(job)
        waiting = (other for other in others if other.admitted is None)
        ahead = sum(other.slots for other in waiting if other.background == job.background)
        most = self.limits.max_rows if job.background else self.limits.max_queue
        if ahead + job.slots > most and ahead:
            raise Overloaded(f"{ahead} rows are waiting, at most {most} may", retry_after=1.0)

    def _check_size(self, job: Job) -> None:
        limits = self.limits
        if job.slots > limits.max_rows:
            raise TooLarge(
                f"the trial needs {job.slots} rows at once (arms x samples or branches, and one to "
                f"measure each of an arm's); this server runs {limits.max_rows}",
                reason="TOO_MANY_ROWS",
            )
        if job.slots * job.positions > limits.kv_tokens:
            raise TooLarge(
                f"the trial needs {job.slots} rows x {job.positions} positions of key-value "
                f"memory; this server has {limits.kv_tokens}",
                reason="KV_MEMORY",
            )

    def admit(self) -> Iterator[Job]:
        """Move jobs that fit from the queue to the running ones."""
        while self.waiting and self._fits(job := min(self.waiting, key=_background)):
            self.waiting.remove(job)
            self.running.append(job)
            yield job

    def rectangle(self) -> tuple[int, int]:
        """Slots and positions that the running jobs need at most."""
        return (
            sum(job.slots for job in self.running),
            max((job.positions for job in self.running), default=0),
        )

    def _fits(self, job: Job) -> bool:
        slots, positions = self.rectangle()
        slots, positions = slots + job.slots, max(positions, job.positions)
        share = BACKGROUND_SHARE if job.background and self.running else 1.0
        return (
            slots <= share * self.limits.max_rows
            and slots * positions <= share * self.limits.kv_tokens
        )

    def next(self) -> list[tuple[Row, int]]:
        """Rows and token counts of the next step."""
        self._steps += 1
        if self._steps % BACKGROUND_TURN:
            awaited = self._step([job for job in self.running if not job.background])
            if awaited:
                return awaited
        return self._step(self.running)

    def _step(self, jobs: Sequence[Job]) -> list[tuple[Row, int]]:
        work = [
            (row, min(row.pending, TARGETS))
            for job in jobs
            if job.started and not job.paused
            for row in job.live()
            if row.pending > 0
        ]
        budget = max(self.limits.step_tokens - sum(count for _, count in work), LEAST_PREFILL)
        return work + self._prefill(jobs, budget)

    def _prefill(self, jobs: Sequence[Job], budget: int) -> list[tuple[Row, int]]:
        work: list[tuple[Row, int]] = []
        for job in sorted(jobs, key=_background):
            rows = [prefix.row for prefix in job.prefixes if prefix.row.pending > 0]
            if job.started or job.paused or not rows:
                continue
            # Equal shares, so that a trial's prompts stay in the same forward passes.
            share = budget // len(rows) or (0 if work else 1)
            if not share:
                break
            chunk = [(row, min(row.pending, share)) for row in rows]
            budget -= sum(count for _, count in chunk)
            work += chunk
        return work


def _background(job: Job) -> bool:
    return job.background
