"""`python -m bench.training`: a vector of organism A1 trained on rewards, at a layer where the mode
can be changed and at one where it can not.

Each vector is trained by the kind of run `train`, then evaluated on the split `report`, which
neither training nor the choice of the step has seen.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.background import engine
from steer.report.columns import percent
from steer.runs.background import Background
from steer.runs.evaluate.kind import Evaluate
from steer.runs.kind import Json, Kind
from steer.runs.train.kind import Train
from steer.specs import EvaluateSpec, Objective, TrainSpec
from steer.store import Store
from steer.types import Add, Arm, Intervention, Site, Stored

RESULTS = Path(__file__).parent / "training.json"
SPEC = TrainSpec(
    into="bench",
    objective=Objective.RLOO,
    task="a1",
    sites=(Site(2),),
    steps=60,
    batch=16,
    rate=0.3,
    enough=0.995,
)
COLUMNS = ("layer", "seed", "steps", "seconds", "accuracy", "valid", "facts", "load")


def main() -> None:
    """Train and evaluate, print the table and write it down."""
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="at the right layer (default 3)")
    parser.add_argument("--problems", type=int, default=500, help="of report (default 500)")
    options = parser.parse_args()
    torch.set_num_threads(2)
    # At the wrong layer the last step is kept: choosing would keep the one that did least.
    wrong = replace(SPEC, sites=(Site(0),), select_n=0, enough=None)
    specs = [wrong, *(replace(SPEC, seed=seed) for seed in range(options.seeds))]
    with engine("organism/a1") as served, tempfile.TemporaryDirectory() as folder:
        # What is made here is not to be shipped.
        context = replace(served, planner=replace(served.planner, store=Store(folder)))
        rows = [unsteered(context, options.problems)]
        rows += [trained(spec, context, options.problems) for spec in specs]
    Console().print(table(rows))
    RESULTS.write_text(json.dumps({**vars(options), "rows": rows}, indent=2) + "\n")


def trained(spec: TrainSpec, context: Background, n: int) -> dict[str, Any]:
    """A vector made by this spec, and what it is worth."""
    begun = time.monotonic()
    report = run(Train(), spec, context)
    seconds = time.monotonic() - begun
    arm = Arm("steered", (Intervention(Add(Stored(report["address"]))),))
    [site] = spec.sites
    told = {"layer": site.layer, "seed": spec.seed, "steps": report["steps"]}
    return {**told, "seconds": round(seconds, 1), **_worth((arm,), context, n)}


def unsteered(context: Background, n: int) -> dict[str, Any]:
    """The same numbers without a vector."""
    return dict.fromkeys(COLUMNS) | _worth((), context, n)


def run(kind: Kind[Any], spec: Any, context: Background) -> Json:
    """The report of a run, with a progress bar on stderr."""
    results: dict[str, Json] = {}
    here = replace(context, results=results.get)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        kind.check(spec, here)
        units = kind.units(spec, here)
        bar = progress.add_task(kind.name, total=len(units))
        for unit, result in kind.execute(spec, units, here):
            results[unit.key] = result
            progress.advance(bar)
    return kind.report(spec, {unit.key: results[unit.key] for unit in units})


def _worth(arms: Sequence[Arm], context: Background, n: int) -> dict[str, Any]:
    report = run(Evaluate(), EvaluateSpec("a1", tuple(arms), n=n, measure=False), context)
    row = report["table"][-1]
    told = {name: row[name] for name in ("accuracy", "valid")}
    return {**told, "facts": row["retention"], "load": round(os.getloadavg()[0], 1)}


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """A line a vector."""
    shown = Table(title="organism A1, RLOO, split report")
    for head in COLUMNS:
        shown.add_column(head, justify="right")
    for row in rows:
        said = row | {name: percent(row[name]) for name in ("accuracy", "valid", "facts")}
        shown.add_row(*("" if said[name] is None else str(said[name]) for name in COLUMNS))
    return shown


if __name__ == "__main__":
    main()
