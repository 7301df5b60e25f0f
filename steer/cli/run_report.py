"""``steer report``, and the files a report is written to."""

import json as json_module
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from steer.cli.options import Target
from steer.cli.output import path_errors
from steer.errors import InvalidRequest, NotFound, Unavailable
from steer.specs import RUNS_FILE, EvaluateSpec, ExtractSpec, RunReport, SweepSpec, TrainSpec


@dataclass(frozen=True, slots=True)
class Files:
    """Where a report is written to, in each format; None: not. Raises InvalidRequest for two
    formats in one file, and where there is no folder for one: before a run has taken its time."""

    html: Path | None = None
    json: Path | None = None
    csv: Path | None = None

    def __post_init__(self) -> None:
        paths = self.paths
        if twice := next((path for path in paths if paths.count(path) > 1), None):
            raise InvalidRequest(f"{twice}: give each format a file of its own")
        for path in paths:
            if not path.parent.is_dir():
                raise InvalidRequest(f"{path}: there is no folder {path.parent}", reason="FILE")

    @property
    def paths(self) -> list[Path]:
        """Those that are written."""
        return [path for path in (self.html, self.json, self.csv) if path is not None]

    def write(self, found: RunReport) -> None:
        """Write a report. Raises InvalidRequest where it can not."""
        from steer.report.pages import PAGES
        from steer.report.table import as_csv

        report, run = found.report, found.run
        makers: tuple[tuple[Path | None, Callable[[], str]], ...] = (
            (self.html, lambda: PAGES[run.kind](report, run.id)),
            (self.json, lambda: json_module.dumps(report, ensure_ascii=False, indent=2) + "\n"),
            (self.csv, lambda: as_csv(report)),
        )
        for path, make in makers:
            if path is not None:
                with path_errors(path):
                    path.write_text(make(), "utf-8")


def report(
    run: Annotated[str, typer.Argument(help="ID of a run.")],
    html: Annotated[Path | None, typer.Option(help="Write a page of HTML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all of it here, as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the table of arms here.")] = None,
    target: Target = None,
) -> None:
    """What a run says so far: its arms and its verdict. Without files, on the terminal.

    Where no server is named and none answers, the runs that were made without one are looked up.
    """
    files = Files(html, json, csv)
    found = _found(run, target)
    files.write(found)
    if not files.paths:
        show(found)


def _found(run: str, target: str | None) -> RunReport:
    from steer.client.client import Client

    try:
        with Client(target) as client:
            return client.runs.report(run)
    except Unavailable:
        found = None if target else _kept(run)
        if found is None:
            raise
        return found


def _kept(run: str) -> RunReport | None:
    """From the database that servers of one's own write to; None where it has no such run."""
    try:
        from steer import wire
        from steer.runs.archive import DatabaseArchive
        from steer.runs.database import Database
        from steer.runs.kinds import KINDS
        from steer.runs.ledger import Ledger
    except ModuleNotFoundError:  # the client alone is installed
        return None
    from steer.store.overlay import user_folder

    file = user_folder() / RUNS_FILE
    if not file.exists():
        return None
    with closing(Database(file)) as database:
        archive = DatabaseArchive(Ledger(database), wire.run_spec_from_json)
        try:
            return archive.report(run, KINDS)
        except NotFound:
            return None


def show(found: RunReport) -> None:
    """Print a report for people."""
    from steer.cli.evaluation import print_evaluation
    from steer.cli.extraction import print_extraction
    from steer.cli.sweeping import print_sweep
    from steer.cli.training import print_training

    printers = {
        EvaluateSpec.kind: print_evaluation,
        ExtractSpec.kind: print_extraction,
        SweepSpec.kind: print_sweep,
        TrainSpec.kind: print_training,
    }
    printers[found.run.kind](found.report)
