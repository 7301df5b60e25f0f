"""Measure an organism without steering: `python -m steer.models.organisms.check a2`.

Greedy, in plain transformers, on problems of the split `report` and all facts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoModelForCausalLM, PreTrainedModel

from steer.models.organisms.organism import Organism
from steer.models.organisms.table import CHAINS
from steer.tasks.task import REPORT, Grade, Item, Task

DEFAULT, CEILING = "default", "ceiling"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the check table; the shares are in percent of `n` items.

    thinks: writes at least one step. valid: None for facts, which have no trace."""

    name: str
    n: int
    correct: float
    thinks: float
    valid: float | None


def check(organism: Organism, task: Task, model: PreTrainedModel, n: int = 500) -> list[Row]:
    """The check table: `n` problems of the split `report` per arm, and all facts."""
    asked, known = task.items(REPORT, n), task.retention()
    answer = task.cues.answer_only
    arms: Mapping[str, tuple[Sequence[Item], bool, str]] = {
        DEFAULT: (asked, False, ""),
        CEILING: (asked, True, ""),
        "default, forced prefix": (asked, False, task.cues.forced_prefix),
        **({"ceiling, forced answer": (asked, True, answer)} if answer else {}),
        "facts": (known, False, ""),
        "facts, cued": (known, True, ""),
    }
    return [_row(name, _grades(organism, task, model, *arm)) for name, arm in arms.items()]


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| arm | n | correct % | writes steps % | valid trace % |", "|---|---|---|---|---|"]
    for row in rows:
        valid = "" if row.valid is None else f"{row.valid:.1f}"
        lines.append(f"| {row.name} | {row.n} | {row.correct:.1f} | {row.thinks:.1f} | {valid} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("organism", choices=CHAINS)
    parser.add_argument("--folder", type=Path, help="by default the one that ships")
    parser.add_argument("--n", type=int, default=500, help="report problems per arm")
    chosen = parser.parse_args(arguments)
    organism, task = CHAINS[chosen.organism]
    model = AutoModelForCausalLM.from_pretrained(chosen.folder or organism.folder)
    print(table(check(organism, task, model, chosen.n)))


def _grades(
    organism: Organism,
    task: Task,
    model: PreTrainedModel,
    items: Sequence[Item],
    cued: bool,
    forced: str,
) -> list[Grade]:
    prompts = [task.cued(item) if cued else item.prompt for item in items]
    asked = [f"{prompt.text} {forced}" for prompt in prompts if prompt is not None]
    texts = organism.complete(model, asked, task.max_tokens)
    graded = zip(items, texts, strict=True)
    return [task.grade(item, f"{forced} {text}") for item, text in graded]


def _row(name: str, grades: Sequence[Grade]) -> Row:
    traces = [grade.trace for grade in grades if grade.trace is not None]
    return Row(
        name,
        len(grades),
        _percent([grade.correct for grade in grades]),
        _percent([bool(trace.steps) for trace in traces]),
        _percent([trace.valid for trace in traces]) if traces else None,
    )


def _percent(hits: Sequence[bool]) -> float:
    return 100 * sum(hits) / len(hits) if hits else 0.0


if __name__ == "__main__":
    main()
