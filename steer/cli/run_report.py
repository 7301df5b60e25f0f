"""``steer report``, and the files a report is written to."""

import json as json_module
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from steer.cli.options import Target
from steer.cli.output import path_errors


def report(
    run: Annotated[str, typer.Argument(help="ID of a run.")],
    html: Annotated[Path | None, typer.Option(help="Write a page of HTML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all of it here, as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the table of arms here.")] = None,
    target: Target = None,
) -> None:
    """What a run says so far: its arms and its verdict. Without files, on the terminal."""
    from steer.cli.evaluation import print_evaluation
    from steer.client.client import Client

    with Client(target) as client:
        found = client.runs.report(run)
    write(found.report, run, html, json, csv)
    if not (html or json or csv):
        print_evaluation(found.report)


def write(
    report: Mapping[str, Any],
    run: str,
    html: Path | None,
    json: Path | None,
    csv: Path | None,
) -> None:
    """Write a report to the files that are asked for. Raises InvalidRequest where it can not."""
    from steer.report.page import as_html
    from steer.report.table import as_csv

    makers: Mapping[Path | None, Callable[[], str]] = {
        html: lambda: as_html(report, run),
        json: lambda: json_module.dumps(report, ensure_ascii=False, indent=2) + "\n",
        csv: lambda: as_csv(report),
    }
    for path, make in makers.items():
        if path is not None:
            with path_errors(path):
                path.write_text(make(), "utf-8")
