"""Extractions over a real engine, run to their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from steer.runs.background import Background
from steer.runs.extract.kind import Extract
from steer.runs.kind import Unit
from steer.specs import ExtractSpec, Passage
from steer.types import Prompt


@dataclass(frozen=True)
class Done:
    """An extraction that is over."""

    units: list[Unit]
    results: dict[str, Any]
    report: dict[str, Any]


def extracted(spec: ExtractSpec, context: Background) -> Done:
    """Run an extraction to its end."""
    kind = Extract()
    kind.check(spec, context)
    units = list(kind.units(spec, context))
    results = {unit.key: result for unit, result in kind.execute(spec, units, context)}
    return Done(units, results, kind.report(spec, results))


def passage(ids: Sequence[int], answer: str = "", **more: Any) -> Passage:
    """A text by its token ids."""
    return Passage(Prompt(token_ids=tuple(ids)), answer, **more)


def passages(count: int, first: int, length: int = 5) -> tuple[Passage, ...]:
    """Texts of the tiny model: the same ones for the same arguments, all different."""
    return tuple(
        passage([1, first, *(3 + (7 * i + 5 * j * j + first) % 90 for j in range(length + i % 3))])
        for i in range(count)
    )
