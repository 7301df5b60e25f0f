"""`python -m bench.decoding`: CoT-decoding of an organism over held-out problems, with controls.

Greedy decoding of the unsteered model and of a vector, and what every rule makes of the branches
over the most likely first tokens (Wang and Zhou, arXiv 2402.10200).
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.background import engine
from steer.report.columns import percent, points
from steer.runs.evaluate.kind import Evaluate
from steer.specs import EvaluateSpec
from steer.types import Add, Arm, Branching, Intervention, Stored

RESULTS = Path(__file__).parent / "decoding.json"
COLUMNS = ("arm", "accuracy", "accuracy_low", "accuracy_high", "difference", "p_holm", "valid")


def main() -> None:
    """Evaluate, print the table and write it down."""
    parser = argparse.ArgumentParser(prog="python -m bench.decoding", description=__doc__)
    parser.add_argument("--task", default="a1", help="a task with an organism (default a1)")
    parser.add_argument("--vector", default="a1-rloo", help="a stored vector (default a1-rloo)")
    parser.add_argument("--branches", type=int, default=10, help="first tokens (default 10)")
    parser.add_argument("--problems", type=int, default=500, help="problems (default 500)")
    options = parser.parse_args()
    torch.set_num_threads(2)
    arm = Arm("steered", (Intervention(Add(Stored(options.vector))),))
    spec = EvaluateSpec(
        options.task,
        (arm,),
        n=options.problems,
        measure=False,
        branching=Branching(options.branches),
    )
    report = evaluated(spec, f"organism/{options.task}")
    Console().print(table(report))
    rows = [{name: row[name] for name in COLUMNS} for row in report["table"]]
    written = {**vars(options), "branching": report["branching"], "arms": rows}
    RESULTS.write_text(json.dumps(written, indent=2) + "\n")


def evaluated(spec: EvaluateSpec, model: str) -> Any:
    """The report of an evaluation, with a progress bar on stderr."""
    kind, results = Evaluate(), {}
    with (
        engine(model) as context,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        kind.check(spec, context)
        units = kind.units(spec, context)
        bar = progress.add_task("problems", total=len(units))
        for unit, result in kind.execute(spec, units, context):
            results[unit.key] = result
            progress.advance(bar)
    return kind.report(spec, {unit.key: results[unit.key] for unit in units})


def table(report: Any) -> Table:
    """The arms, with intervals and what they are above greedy decoding unsteered."""
    shown = Table(title=f"{report['task']['name']}, {report['n']} problems")
    for head in ("arm / rule", "right %", "95 %", "Δ", "valid traces %"):
        shown.add_column(head)
    for row in report["table"]:
        ends = f"{percent(row['accuracy_low'])} – {percent(row['accuracy_high'])}"
        gain = "" if row["difference"] is None else points(row["difference"])
        valid = "" if row["valid"] is None else percent(row["valid"])
        shown.add_row(row["arm"], percent(row["accuracy"]), ends, gain, valid)
    return shown


if __name__ == "__main__":
    main()
