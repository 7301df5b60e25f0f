"""A chain as a task: its problems, its trace checker, its controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from steer.errors import InvalidRequest
from steer.tasks.chains import SPLITS, Chain, Problem, applied, worksheet
from steer.tasks.task import Cues, Grade, Item, Trace
from steer.tasks.world import DIGITS, EOS, Fact, facts
from steer.types import Prompt


@dataclass(frozen=True)
class ChainTask:
    """Problems of a chain, asked under `quiz`; the facts are what has to be retained."""

    chain: Chain
    description: str
    cues: Cues

    @property
    def name(self) -> str:
        return self.chain.name

    @property
    def max_tokens(self) -> int:
        """Of a complete trace with its marks and its end, and four more."""
        return len(self.chain.completion(self.chain.gold(self._example), "0").split()) + 4

    @property
    def choices(self) -> int | None:
        return len(DIGITS)

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(SPLITS)

    def most(self, split: str) -> int:
        try:
            return self.chain.most(split)
        except ValueError as error:
            raise InvalidRequest(f"task {self.name}: {error}") from error

    def items(self, split: str, n: int, seed: int = 0) -> Sequence[Item]:
        try:
            drawn = self.chain.problems(split, n, seed)
        except ValueError as error:
            raise InvalidRequest(f"task {self.name}: {error}") from error
        return [_problem(problem) for problem in drawn]

    def retention(self) -> Sequence[Item]:
        return [fact_item(fact) for fact in facts()]

    def grade(self, item: Item, text: str) -> Grade:
        parsed = self.chain.parse(text)
        correct = parsed.answer == item.answer
        trace = self._trace(item, parsed.steps, parsed.answer) if item.trace else None
        return Grade(parsed.answer, correct, trace)

    def cued(self, item: Item) -> Prompt | None:
        return Prompt(text=worksheet(_asked(item)))

    def traced(self, item: Item, steps: Sequence[str]) -> str:
        return " ".join(self.chain.opening(steps)) if item.trace else ""

    def solution(self, item: Item) -> str:
        steps = self.chain.gold(_asked(item)) if item.trace else ()
        return self.chain.completion(steps, item.answer).removesuffix(f" {EOS}")

    @cached_property
    def _example(self) -> Problem:
        return self.chain.problems("select", 1)[0]

    def _trace(self, item: Item, steps: tuple[str, ...], answer: str | None) -> Trace:
        gold = item.trace if self.chain.marked else item.trace[:-1]
        hits = sum(step == right for step, right in zip(steps, gold, strict=False))
        return Trace(
            steps,
            complete=len(steps) == len(gold),
            valid=steps == gold and answer == item.answer,
            right=hits / len(gold),
            follows=_follows(item, steps, answer),
        )


def fact_item(fact: Fact) -> Item:
    """A fact as an item. Each stands for itself: an answer in common is no make in common, as
    problems with the same digit for an answer are not one template either."""
    return Item(fact.id, Prompt(text=fact.prompt), fact.answer)


def _problem(problem: Problem) -> Item:
    return Item(problem.id, Prompt(text=problem.prompt), problem.answer, trace=problem.trace)


def _asked(item: Item) -> Problem:
    return Problem(item.id, item.prompt.text or "", item.answer, item.trace)


def _follows(item: Item, steps: tuple[str, ...], answer: str | None) -> bool | None:
    # The operators that the trace has not come to are still to be applied to its last digit.
    if not steps or answer is None or steps[-1] not in DIGITS:
        return None
    rest = item.id.split()[2:][len(steps) :]
    return answer == (applied(steps[-1], rest) or steps)[-1]
