"""Rows of an answer, graded and written down."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from steer.measure.records import Record
from steer.measure.texts import distinct
from steer.runs.evaluate.traces import Steps
from steer.runs.kind import Answer
from steer.tasks.task import Grade, Item, Task
from steer.types import Chunk, Finished, Measurement, Receipt


@dataclass(frozen=True, slots=True)
class Row:
    """One completion. ``measurement``: None where it was not compared with the unsteered model."""

    chunk: Chunk
    finished: Finished
    measurement: Measurement | None

    @property
    def arm(self) -> str:
        """The name of its arm."""
        return self.chunk.arm


@dataclass(frozen=True, slots=True)
class Graded:
    """A completion of an item and what it is worth."""

    item: Item
    row: Row
    grade: Grade

    @property
    def steps(self) -> Steps:
        """The steps of its trace; none where it has none."""
        return self.grade.trace.steps if self.grade.trace else ()

    def record(self, retention: bool) -> Record:
        """As it is kept."""
        row, grade, trace = self.row, self.grade, self.grade.trace
        measured = row.measurement
        receipts = row.finished.receipts
        return Record(
            arm=row.arm,
            item=self.item.id,
            sample=row.chunk.sample,
            template=self.item.template,
            retention=retention,
            correct=grade.correct,
            answer=grade.answer,
            trace_complete=trace.complete if trace else None,
            trace_valid=trace.valid if trace else None,
            trace_right=trace.right if trace else None,
            trace_follows=trace.follows if trace else None,
            tokens=len(row.chunk.token_ids),
            finish=row.finished.reason.value,
            distinct2=distinct(row.chunk.token_ids),
            thinks=bool(trace.steps) if trace else None,
            mean_kl=measured.mean_kl if measured else None,
            first_kl=measured.kl[0] if measured and measured.kl else None,
            baseline_nats=_nats(measured) if measured else None,
            touched=sum(receipt.tokens for receipt in receipts),
            mean_change=_mean_change(receipts),
        )


def graded(item: Item, task: Task, answer: Answer) -> list[Graded]:
    """Every row of an answer to an item."""
    measured = {(one.arm, one.sample): one for one in answer.measurements}
    return [
        Graded(
            item,
            Row(chunk, finished, measured.get((chunk.arm, chunk.sample))),
            task.grade(item, chunk.text),
        )
        for chunk, finished in answer.rows
    ]


def _nats(measured: Measurement) -> float | None:
    logprobs = measured.baseline_logprobs
    return -math.fsum(logprobs) / len(logprobs) if logprobs else None


def _mean_change(receipts: Sequence[Receipt]) -> float:
    touched = sum(receipt.tokens for receipt in receipts)
    return math.fsum(r.tokens * r.mean_change for r in receipts) / touched if touched else 0.0
