"""One unit of an evaluation: a few items under every arm, in up to three stages.

First the items under all arms; then what begins with traces made from the subject's own, and the
traces that are sampled for the information gain; then the answer scored after each of those.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from steer.measure.records import Role
from steer.runs.evaluate.asking import Asking
from steer.runs.evaluate.branching import branched, chosen, counted
from steer.runs.evaluate.entries import WRITTEN, Cast, Entry
from steer.runs.evaluate.examples import example, places
from steer.runs.evaluate.flow import Asked, Flow
from steer.runs.evaluate.gain import Gain, Questions
from steer.runs.evaluate.revision import Reviser, told
from steer.runs.evaluate.rows import Graded, graded
from steer.runs.evaluate.traces import Rewriter, Steps, Writer
from steer.runs.kind import Answer, Json
from steer.tasks.task import Item, Task
from steer.types import BASELINE, Arm, Trial

Stage = list[tuple[Item, Trial]]


@dataclass(frozen=True)
class Pieces:
    """Makes the flow of each unit. ``gain``: None where it is not measured."""

    task: Task
    cast: Cast
    asking: Asking
    writer: Writer
    gain: Gain | None
    reviser: Reviser

    def problems(self, items: Sequence[Item], shown: int) -> Flow[Json]:
        """Problems under every arm; the first ``shown`` are kept as examples."""
        first = [(item, trial) for item in items for trial in self._first(item)]
        forked = [(item, trial) for item in items for trial in self._branched(item)]
        answers = yield _trials(first + forked)
        done = self._graded(first, answers[: len(first)])
        branches = answers[len(first) :]
        done += [
            one
            for (item, _), answer in zip(forked, branches, strict=True)
            for one in chosen(item, self.task, answer)
        ]
        rewriter = Rewriter(self.writer, self._traces(done))

        second = [(item, trial) for item in items for trial in self._second(item, rewriter)]
        sampled = self._sampled(items)
        drafts = self.reviser.drafts(items, done)
        answers = yield [*_trials(second + sampled), *map(self.reviser.critique, drafts)]
        done += self._graded(second, answers[: len(second)])
        begin, end = len(second), len(second) + len(sampled)
        thoughts, critiques = self._graded(sampled, answers[begin:end]), answers[end:]

        questions = self._questions(items, thoughts, rewriter)
        asked: list[Asked] = [trial for question in questions for trial in question.trials()]
        answers = yield [*asked, *map(self.reviser.revise, drafts, critiques)]
        scored = iter(answers[: len(asked)])
        revised = list(map(self.reviser.graded, drafts, answers[len(asked) :]))
        done += revised
        return {
            "records": [one.record(retention=False).to_dict() for one in done],
            "places": places(done, self._main),
            "gains": [one for question in questions for one in question.result(scored)],
            "examples": [self._example(item, done) for item in items[:shown]],
            "branches": counted(branches),
            "revisions": list(map(told, drafts, critiques, revised)),
        }

    def retained(self, items: Sequence[Item]) -> Flow[Json]:
        """What must not get lost, under the arms that claims are about."""
        arms = [entry.arm for entry in self.cast.entries if entry.main and not entry.cued]
        trials = self.asking.trials
        asked = [(item, trial) for item in items for trial in trials(item, arms, baseline=True)]
        done = self._graded(asked, (yield _trials(asked)))
        return {"records": [one.record(retention=True).to_dict() for one in done]}

    # ---- stages ---------------------------------------------------------------------------------

    def _first(self, item: Item) -> Iterable[Trial]:
        later = WRITTEN | {Role.BRANCHED, Role.REVISED}
        entries = [entry for entry in self.cast.entries if entry.about.role not in later]
        main = self._arms(item, [entry for entry in entries if entry.main])
        rest = self._arms(item, [entry for entry in entries if not entry.main])
        yield from self.asking.trials(item, main, measure=self.asking.spec.measure, baseline=True)
        yield from self.asking.trials(item, rest)

    def _branched(self, item: Item) -> Iterator[Trial]:
        arms = {entry.arm.name: entry.arm for entry in self.cast.chosen({Role.BRANCHED})}
        for arm in arms.values():
            plain = arm.name == BASELINE
            own = () if plain else (arm,)
            # One by one: an arm's branches take as many rows as they are.
            (trial,) = self.asking.trials(item, own, baseline=plain, samples=1)
            yield branched(self.asking.spec, trial)

    def _second(self, item: Item, rewriter: Rewriter) -> Iterable[Trial]:
        given = (rewriter.arm_for(entry, item) for entry in self.cast.chosen(WRITTEN))
        # The traces are those of first samples.
        return self.asking.trials(item, [arm for arm in given if arm is not None], samples=1)

    def _sampled(self, items: Sequence[Item]) -> Stage:
        gain = self.gain
        if gain is None:
            return []
        return [(item, gain.sampling(item, self.asking.seed(item))) for item in _thinkable(items)]

    def _questions(
        self, items: Sequence[Item], thoughts: Sequence[Graded], rewriter: Rewriter
    ) -> list[Questions]:
        gain = self.gain
        if gain is None:
            return []
        return [
            gain.questions(
                item, [one for one in thoughts if one.item.id == item.id], rewriter.other(item)
            )
            for item in _thinkable(items)
        ]

    # ---- parts ----------------------------------------------------------------------------------

    def _arms(self, item: Item, entries: Sequence[Entry]) -> list[Arm]:
        arms = (entry.arm_for(item, self.task) for entry in entries)
        return [arm for arm in arms if arm is not None]

    def _graded(self, asked: Stage, answers: Sequence[Answer]) -> list[Graded]:
        return [
            one
            for (item, _), answer in zip(asked, answers, strict=True)
            for one in graded(item, self.task, answer)
        ]

    def _traces(self, done: Iterable[Graded]) -> dict[str, Steps]:
        """The subject's own, of its first completions; items without one are left out."""
        return {
            one.item.id: one.steps
            for one in done
            if one.row.arm == self.cast.subject and one.row.chunk.sample == 0 and one.steps
        }

    def _example(self, item: Item, done: Iterable[Graded]) -> Json:
        arms = [BASELINE, *(entry.name for entry in self.cast.chosen({Role.STEERED}))]
        return example(item, done, arms, self.writer.text)

    @property
    def _main(self) -> frozenset[str]:
        return frozenset(entry.name for entry in self.cast.entries if entry.main)


def _thinkable(items: Sequence[Item]) -> list[Item]:
    """Those of which it is known what a trace is."""
    return [item for item in items if item.trace]


def _trials(asked: Stage) -> list[Asked]:
    return [trial for _, trial in asked]
