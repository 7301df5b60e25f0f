"""``steer report``, and the files a report is written to."""

import json as json_module
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from steer.cli.options import Target
from steer.cli.output import path_errors
from steer.errors import InvalidRequest
from steer.specs import EvaluateSpec, RunReport, SweepSpec, TrainSpec


def report(
    run: Annotated[str, typer.Argument(help="ID of a run.")],
    html: Annotated[Path | None, typer.Option(help="Write a page of HTML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all of it here, as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the table of arms here.")] = None,
    target: Target = None,
) -> None:
    """What a run says so far: its arms and its verdict. Without files, on the terminal."""
    from steer.client.client import Client

    with Client(target) as client:
        found = client.runs.report(run)
    write(found, html, json, csv)
    if not (html or json or csv):
        show(found)


def show(found: RunReport) -> None:
    """Print a report for people."""
    from steer.cli.evaluation import print_evaluation
    from steer.cli.sweeping import print_sweep
    from steer.cli.training import print_training

    printers = {
        EvaluateSpec.kind: print_evaluation,
        SweepSpec.kind: print_sweep,
        TrainSpec.kind: print_training,
    }
    printers[found.run.kind](found.report)


def write(found: RunReport, html: Path | None, json: Path | None, csv: Path | None) -> None:
    """Write a report to the files that are asked for. Raises InvalidRequest where it can not."""
    from steer.report.page import PAGES
    from steer.report.table import as_csv

    report, run = found.report, found.run
    makers: Mapping[Path | None, Callable[[], str]] = {
        html: lambda: PAGES[run.kind](report, run.id),
        json: lambda: json_module.dumps(report, ensure_ascii=False, indent=2) + "\n",
        csv: lambda: as_csv(report),
    }
    if html is not None and run.kind not in PAGES:
        raise InvalidRequest(f"runs that {run.kind} have no page of HTML; give another format")
    for path, make in makers.items():
        if path is not None:
            with path_errors(path):
                path.write_text(make(), "utf-8")
