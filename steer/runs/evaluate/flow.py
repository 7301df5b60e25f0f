"""Work in several stages, many pieces at once: what a stage asks can depend on the stage before.

A flow is a generator that yields what it wants to be run and is sent the answers.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from steer.intervene.plan import Plan
from steer.runs.kind import Answer, Context
from steer.types import ScoreTrial, Trial

K = TypeVar("K")
R = TypeVar("R")

Asked = Trial | ScoreTrial
Flow = Generator[Sequence[Asked], Sequence[Answer], R]


@dataclass(eq=False)
class _Running(Generic[K, R]):
    key: K
    flow: Flow[R]
    answers: dict[int, Answer] = field(default_factory=dict)
    asked: int = 0
    begun: bool = False


Tag = tuple[_Running[K, R], int]


class Flows(Generic[K, R]):
    """Runs flows in the order given; later stages go before flows that have not begun."""

    def __init__(self, flows: Iterable[tuple[K, Flow[R]]], context: Context) -> None:
        self._new = iter(flows)
        self._context = context
        self._ready: deque[tuple[Tag[K, R], Asked]] = deque()
        self._ended: deque[tuple[K, R]] = deque()
        self._exhausted = False

    def run(self) -> Iterator[tuple[K, R]]:
        """What each flow returns, when it does. Raises what planning or a plan raises."""
        while self._ready or not self._exhausted:
            # Ends when all that was asked is answered, which may have let flows ask for more.
            for (running, place), answer in self._context.answers(self._plans()):
                running.answers[place] = answer
                if len(running.answers) == running.asked:
                    self._advance(running)
                yield from self._results()
            yield from self._results()

    def _plans(self) -> Iterator[tuple[Tag[K, R], Plan]]:
        while self._ready or self._begin():
            if self._ready:
                tag, asked = self._ready.popleft()
                yield tag, self._plan(asked)

    def _plan(self, asked: Asked) -> Plan:
        planner = self._context.planner
        return planner.trial(asked, "") if isinstance(asked, Trial) else planner.score(asked, "")

    def _begin(self) -> bool:
        key_and_flow = next(self._new, None)
        if key_and_flow is None:
            self._exhausted = True
            return False
        self._advance(_Running(*key_and_flow))
        return True

    def _advance(self, running: _Running[K, R]) -> None:
        """Ask for the next stage that has something to ask."""
        while True:
            answers = [running.answers[place] for place in range(running.asked)]
            try:
                asked = running.flow.send(answers) if running.begun else next(running.flow)
            except StopIteration as end:
                self._ended.append((running.key, end.value))
                return
            running.begun, running.answers, running.asked = True, {}, len(asked)
            tagged = [((running, place), one) for place, one in enumerate(asked)]
            self._ready.extendleft(reversed(tagged))
            if asked:
                return

    def _results(self) -> Iterator[tuple[K, R]]:
        while self._ended:
            yield self._ended.popleft()
