"""A small kind of run that is real: it asks the engine for completions of a list of prompts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steer.runs.kind import Context, Json, Unit
from steer.specs import EvaluateSpec, InlineTask
from steer.types import Prompt, Trial


@dataclass(frozen=True)
class Completions:
    """A unit is a line of the inline task, which holds token ids; its result is what every arm
    says, so that it is the same whenever and wherever it is made."""

    name: str = EvaluateSpec.kind

    def check(self, spec: EvaluateSpec, context: Context) -> None:
        """Plans the first line."""
        context.planner.trial(_trial(spec, _lines(spec)[0]), "check")

    def units(self, spec: EvaluateSpec, context: Context) -> Sequence[Unit]:
        """One for each line."""
        return [Unit(f"line-{i}", line) for i, line in enumerate(_lines(spec))]

    def execute(
        self, spec: EvaluateSpec, units: Sequence[Unit], context: Context
    ) -> Iterator[tuple[Unit, Json]]:
        """All lines at once."""
        plans = (
            (unit, context.planner.trial(_trial(spec, unit.payload), "unit")) for unit in units
        )
        for unit, answer in context.answers(plans):
            records = [
                {"arm": chunk.arm, "sample": chunk.sample, "ids": list(chunk.token_ids)}
                for chunk, _ in answer.rows
            ]
            yield unit, {"records": records}

    def report(self, spec: EvaluateSpec, results: Mapping[str, Json]) -> Json:
        """How much there is."""
        tokens = sum(len(row["ids"]) for one in results.values() for row in one["records"])
        return {"lines": len(results), "tokens": tokens}


def lines(count: int, vocabulary: int = 90) -> InlineTask:
    """A task of ``count`` prompts of three tokens."""
    rows = ([3 + (7 * i + 3 * j) % vocabulary for j in range(3)] for i in range(count))
    return InlineTask("lines", "\n".join(map(json.dumps, rows)))


def _lines(spec: EvaluateSpec) -> list[list[int]]:
    assert isinstance(spec.task, InlineTask)
    return [json.loads(line) for line in spec.task.jsonl.splitlines()]


def _trial(spec: EvaluateSpec, ids: list[int]) -> Trial:
    return Trial(
        Prompt(token_ids=tuple(ids)),
        spec.arms,
        sampling=spec.sampling,
        samples=spec.samples,
        measure=False,
    )
