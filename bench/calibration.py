"""`python -m bench.calibration`: how often null vectors are called an effect, on the organisms.

Every null vector is tried as the treatment against others of its kind. The share that could get a
positive verdict should be at most 5 %. What is not tried again keeps its figures.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.background import engine
from steer.measure.calibration import Calibration, calibrate
from steer.measure.records import MeasuredArm, Record, Role
from steer.runs.background import Background
from steer.runs.evaluate.kind import Evaluate
from steer.runs.evaluate.making import SWAPPED, TARGETS
from steer.specs import EvaluateSpec
from steer.store import Vector
from steer.types import BASELINE, Add, Arm, Intervention, Operand, RandomLike, Stored, WithinClass

RESULTS = Path(__file__).parent / "calibration.json"
ORGANISMS = ("a1", "a2")
DRAWS = 500
"""Bootstrap samples of each verdict: there are 200 of a kind."""


@dataclass(frozen=True)
class Case:
    """Null vectors of one kind, made from one stored vector."""

    task: str
    kind: type[RandomLike] | type[WithinClass]
    vector: str

    def __str__(self) -> str:
        return f"{self.task}: {self.kind.__name__} of {self.vector}"

    def operand(self, seed: int) -> Operand:
        """One of them."""
        return self.kind(Stored(self.vector), seed)


def main() -> None:
    """Try null vectors on every organism, print the shares and write them down."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibration", description=__doc__)
    parser.add_argument("--nulls", type=int, default=200, help="null vectors of a kind")
    parser.add_argument("--problems", type=int, default=500, help="problems of each")
    parser.add_argument("--vector", default="", help="null vectors like this one alone")
    parser.add_argument("tasks", nargs="*", default=ORGANISMS, metavar="TASK")
    options = parser.parse_args()
    torch.set_num_threads(2)
    found: dict[str, Calibration] = {}
    for task in options.tasks:
        with engine(f"organism/{task}") as context:
            for case in cases(task, options.vector, context):
                records = run(case, context, options.nulls, options.problems)
                arms = [MeasuredArm(BASELINE, Role.BASELINE)]
                arms += [MeasuredArm(str(i), Role.RANDOM) for i in range(1, options.nulls + 1)]
                found[str(case)] = calibrate(records, arms, draws=DRAWS)
    if not found:
        parser.error(f"no vector {options.vector!r} of {', '.join(options.tasks)}")
    Console().print(table(found))
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    plain = {name: _plain(one, options.problems) for name, one in found.items()}
    RESULTS.write_text(json.dumps(kept | plain, indent=2, sort_keys=True) + "\n")


def cases(task: str, wanted: str, context: Background) -> Iterator[Case]:
    """Isotropic directions like each vector of an organism that is no control itself, or like the
    wanted one, and directions from within its classes."""
    for name in context.store.names():
        vector = context.store.get(name)
        if wanted in ("", name) and isinstance(vector, Vector) and _treats(vector, context):
            yield Case(task, RandomLike, name)
            if vector.classes:
                yield Case(task, WithinClass, name)


def _treats(vector: Vector, context: Background) -> bool:
    fits = vector.card.fingerprint == context.model.fingerprint
    return fits and vector.card.parameters.get(TARGETS) != SWAPPED


def run(case: Case, context: Background, nulls: int, problems: int) -> list[Record]:
    """Records of the baseline and of every null vector, with a progress bar on stderr."""
    arms = (
        Arm(str(seed), (Intervention(Add(case.operand(seed))),)) for seed in range(1, nulls + 1)
    )
    spec = EvaluateSpec(task=case.task, arms=tuple(arms), n=problems, measure=False)
    kind = Evaluate()
    kind.check(spec, context)
    units = kind.units(spec, context)
    records: list[Record] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(str(case), total=len(units))
        for _, result in kind.execute(spec, units, context):
            records += map(Record.from_dict, result.get("records", ()))
            progress.advance(bar)
    return records


def _plain(one: Calibration, problems: int) -> dict[str, Any]:
    outcomes = Counter(verdict.outcome.value for verdict in one.verdicts)
    numbers = {name: getattr(one, name) for name in ("nulls", "seeds", "positive", "low", "high")}
    return {"problems": problems, **numbers, "outcomes": dict(outcomes)}


def table(found: dict[str, Calibration]) -> Table:
    """Shares with their intervals."""
    shown = Table(title="null vectors that could get a positive verdict")
    for head in ("null", "vectors", "positive", "share", "95 % interval"):
        shown.add_column(head)
    for name, one in found.items():
        share, ends = one.positive / one.nulls, f"{one.low:.1%} to {one.high:.1%}"
        shown.add_row(name, str(one.nulls), str(one.positive), f"{share:.1%}", ends)
    return shown


if __name__ == "__main__":
    main()
