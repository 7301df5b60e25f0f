"""The experiment of the demo: held-out problems and all facts under every arm."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress

from steer.client.arms import Treatment, arm
from steer.client.async_client import AsyncClient
from steer.client.controls import random_like
from steer.client.recipes import add
from steer.client.results import Comparison
from steer.measure.statistics import wilson
from steer.tasks import a1
from steer.types import BASELINE

VECTORS = ("a1-dom", "a1-rloo")
CONTROLS = 5
FORCED = "forced-first-token"
# A complete trace with its answer and end is 10 tokens.
MAX_TOKENS = 16
_IN_FLIGHT = 16


@dataclass(slots=True)
class Outcome:
    """Counts of one arm."""

    problems: int = 0
    correct: int = 0
    valid_traces: int = 0
    facts: int = 0
    facts_right: int = 0

    @property
    def accuracy(self) -> float:
        """Fraction of problems answered right."""
        return self.correct / self.problems

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson(self.correct, self.problems)

    def count(self, item: a1.Problem | a1.Fact, text: str) -> None:
        """Note one completion."""
        right = a1.correct(item, text)
        if isinstance(item, a1.Fact):
            self.facts += 1
            self.facts_right += right
        else:
            self.problems += 1
            self.correct += right
            self.valid_traces += a1.valid_trace(item, text)


def treatments() -> dict[str, Treatment]:
    """Every arm besides the baseline."""
    steered: dict[str, Treatment] = {name: add(name) for name in VECTORS}
    random = {f"random-{i}": random_like(add("a1-rloo"), seed=i) for i in range(1, CONTROLS + 1)}
    return {**steered, **random, FORCED: arm(forced_prefix=a1.THINK)}


async def measure(target: str, problems: Sequence[a1.Problem]) -> dict[str, Outcome]:
    """Outcomes by arm, baseline first. Many trials run at once, with a progress bar on stderr."""
    arms = treatments()
    items: list[a1.Problem | a1.Fact] = [*problems, *a1.facts()]
    outcomes = {name: Outcome() for name in (BASELINE, *arms)}
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def one(item: a1.Problem | a1.Fact) -> None:
        async with room:
            result = await client.compare(
                item.prompt, arms=arms, max_tokens=MAX_TOKENS, measure=False
            )
        _count(outcomes, item, result)
        progress.advance(task)

    with Progress(console=Console(stderr=True), transient=True) as progress:
        name = f"{len(items)} prompts × {len(outcomes)} arms"
        task = progress.add_task(name, total=len(items))
        async with AsyncClient(target) as client:
            await asyncio.gather(*map(one, items))
    return outcomes


def _count(outcomes: dict[str, Outcome], item: a1.Problem | a1.Fact, result: Comparison) -> None:
    for name, outcome in outcomes.items():
        outcome.count(item, result[name].text)
