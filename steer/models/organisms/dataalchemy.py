"""DataAlchemy's table: `python -m steer.models.organisms.dataalchemy`.

Each of the three models that ship is asked for compositions it knows, for some it does not, and
the whole document, its reasoning step and its answer are counted apart, greedily, on strings that
were never trained. Source: Zhao et al., arXiv 2508.01191, tables 1 and 2.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoModelForCausalLM, PreTrainedModel

from steer.models.organisms.organism import FOLDERS
from steer.models.organisms.table import ORGANISMS
from steer.tasks import dataalchemy
from steer.tasks.dataalchemy import F1, F2, Composition
from steer.tasks.task import REPORT


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a model is asked for."""

    name: str
    organism: str
    asked: tuple[Composition, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Shares in percent of `n` problems: whole document, reasoning step, the letters of that step
    whatever it says is left to do, and answer right."""

    scenario: Scenario
    n: int
    whole: float
    reasoning: float
    letters: float
    answer: float


SCENARIOS = (
    Scenario("in distribution", "dataalchemy", dataalchemy.KNOWN),
    Scenario("new composition", "dataalchemy", (dataalchemy.NEW,)),
    Scenario("in distribution", "dataalchemy-f1f1", ((F1, F1),)),
    Scenario("partly out of distribution", "dataalchemy-f1f1", ((F1, F2), (F2, F1))),
    Scenario("out of distribution", "dataalchemy-f1f1", ((F2, F2),)),
    Scenario("in distribution", "dataalchemy-f1f2", ((F1, F2),)),
    Scenario("the same in another order", "dataalchemy-f1f2", ((F2, F1),)),
)


def measure(scenario: Scenario, model: PreTrainedModel, n: int) -> Row:
    """Ask a model for `n` problems of the split `report`."""
    task = dataalchemy.task()
    items = dataalchemy.sample(scenario.asked, REPORT, n, 0)
    prompts = [item.prompt.text or "" for item in items]
    texts = ORGANISMS[scenario.organism].complete(model, prompts, task.max_tokens)
    grades = [task.grade(item, text) for item, text in zip(items, texts, strict=True)]
    traces = [grade.trace for grade in grades if grade.trace is not None]
    return Row(
        scenario,
        n,
        whole=_percent([trace.valid for trace in traces]),
        reasoning=_percent([trace.right == 1 for trace in traces]),
        letters=_percent(
            [
                _letters(trace.steps) == _letters(item.trace)
                for trace, item in zip(traces, items, strict=True)
            ]
        ),
        answer=_percent([grade.correct for grade in grades]),
    )


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| model | asked for | scenario | n | whole % | step % | its letters % | answer % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        asked = ", ".join(map("∘".join, row.scenario.asked))
        lines.append(
            f"| {row.scenario.organism} | {asked} | {row.scenario.name} | {row.n} "
            f"| {row.whole:.1f} | {row.reasoning:.1f} | {row.letters:.1f} "
            f"| {row.answer:.1f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folders", type=Path, default=FOLDERS, help="folder of their folders")
    parser.add_argument("--n", type=int, default=1000, help="problems per scenario")
    chosen = parser.parse_args(arguments)
    rows = [
        measure(
            scenario,
            AutoModelForCausalLM.from_pretrained(chosen.folders / scenario.organism),
            chosen.n,
        )
        for scenario in SCENARIOS
    ]
    print(table(rows))


def _letters(steps: Sequence[str]) -> list[str]:
    return steps[0].split()[: dataalchemy.LENGTH] if steps else []


def _percent(hits: Sequence[bool]) -> float:
    return 100 * sum(hits) / len(hits)


if __name__ == "__main__":
    main()
