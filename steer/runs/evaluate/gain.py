"""Information gain: how much likelier a trace makes the right answer, without any verifier.

S_think - S_nothink of RLP (Hatamizadeh et al., arXiv 2510.01265), measured: G traces are sampled
under the subject, and the answer is scored after each of them under the subject, and after none
under the unsteered model. What is kept are log-probabilities (nats) of the whole answer;
``steer.measure.gain`` makes the measures of them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steer.measure.gain import GainRecord
from steer.measure.records import Role
from steer.runs.evaluate.asking import Asking
from steer.runs.evaluate.entries import Cast
from steer.runs.evaluate.rows import Graded
from steer.runs.evaluate.traces import Steps, Writer
from steer.runs.kind import Answer, Json
from steer.specs import Controls, EvaluateSpec
from steer.tasks.task import Item
from steer.types import BASELINE, Arm, Prompt, Sampling, ScoredArm, ScoreTrial, Trial

Ids = tuple[int, ...]

SAMPLES = 4
"""G: traces of each item, of the subject and of one random direction."""


def gain_of(spec: EvaluateSpec, cast: Cast, asking: Asking, writer: Writer) -> "Gain | None":
    """The information gain of an evaluation's subject; None where it is not to be measured, or
    can not be: without traces, or when completions begin with something else."""
    subject = cast.steered
    if spec.controls is Controls.NONE or subject is None or subject.arm.forced_prefix is not None:
        return None
    random = next((entry.arm for entry in cast.chosen({Role.RANDOM})), None)
    return Gain(writer, subject.arm, random, asking.max_tokens, spec.allow_model_mismatch)


@dataclass(frozen=True)
class Gain:
    """The information gain of one subject. ``random``: the arm of a random direction, as control;
    None where there is none."""

    writer: Writer
    subject: Arm
    random: Arm | None
    max_tokens: int
    allow_mismatch: bool

    def sampling(self, item: Item, seed: int) -> Trial:
        """The trial whose completions have the traces."""
        sampling = Sampling(temperature=1.0, max_tokens=self.max_tokens, seed=seed)
        return Trial(
            item.prompt,
            self._arms,
            baseline=False,
            sampling=sampling,
            samples=SAMPLES,
            measure=False,
            allow_model_mismatch=self.allow_mismatch,
        )

    def questions(self, item: Item, sampled: Sequence[Graded], other: Steps | None) -> "Questions":
        """What is to be scored; ``other``: the trace of another item."""
        write, subject = self.writer.prefix, self.subject.name
        asked = {arm.name: (arm.name, self._traces(item, sampled, arm)) for arm in self._arms}
        if other is not None:
            asked[Role.SWAPPED] = (subject, [write(item, other)])
        if self.writer.task.cues.filler:
            length = len(next((one.steps for one in sampled if one.steps), item.trace))
            asked[Role.FILLER] = (subject, [self.writer.filler(item, length)])
        answer = self.writer.ids(item.answer)
        return Questions(item, answer, write(item, ()), asked, self._arms, self.allow_mismatch)

    @property
    def _arms(self) -> tuple[Arm, ...]:
        return (self.subject, self.random) if self.random else (self.subject,)

    def _traces(self, item: Item, sampled: Sequence[Graded], arm: Arm) -> list[Ids]:
        return [self.writer.prefix(item, one.steps) for one in sampled if one.row.arm == arm.name]


@dataclass(frozen=True)
class Questions:
    """What is scored for one item: ``answer``, at least one token, after beginnings of completions.

    ``nothink``: the beginning without a trace. ``asked``: by the name of what is measured, the arm
    it is scored under and the beginnings with its traces, at least one.
    """

    item: Item
    answer: Ids
    nothink: Ids
    asked: Mapping[str, tuple[str, Sequence[Ids]]]
    arms: tuple[Arm, ...]
    allow_mismatch: bool

    def trials(self) -> list[ScoreTrial]:
        """Each different beginning once, under the arms it is asked of."""
        return [
            ScoreTrial(
                self.item.prompt,
                Prompt(token_ids=beginning + self.answer),
                tuple(arm for arm in self.arms if arm.name in names),
                allow_model_mismatch=self.allow_mismatch,
            )
            for beginning, names in self._beginnings.items()
        ]

    def result(self, answers: Iterator[Answer]) -> list[Json]:
        """Gain records; the next of ``answers`` are those to ``trials``."""
        totals = {
            beginning: {score.name: self._total(score) for score in next(answers).scores}
            for beginning in self._beginnings
        }
        nothink = totals[self.nothink][BASELINE]
        return [
            GainRecord(
                arm=arm,
                item=self.item.id,
                template=self.item.template,
                tokens=len(self.answer),
                nothink=nothink,
                think=tuple(totals[beginning][under] for beginning in beginnings),
            ).to_dict()
            for arm, (under, beginnings) in self.asked.items()
        ]

    @property
    def _beginnings(self) -> dict[Ids, set[str]]:
        """Different ones with the names of their arms; the unsteered model scores all of them."""
        found: dict[Ids, set[str]] = {self.nothink: set()}
        for under, beginnings in self.asked.values():
            for beginning in beginnings:
                found.setdefault(beginning, set()).add(under)
        return found

    def _total(self, score: ScoredArm) -> float:
        return math.fsum(score.logprobs[-len(self.answer) :])
