"""What the terminal shows of an evaluation: its arms and its verdict."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from steer.cli.revision import print_revision
from steer.report.columns import SEEDED, SHOWN, Column, Report, Row, percent, rows_of

MARKS = {True: ("✓", "green"), False: ("✗", "dim"), None: ("?", "dim")}


def print_evaluation(report: Report) -> None:
    """The arms, the seeds of a null on one line, and the verdicts with their findings."""
    console = Console()
    rows = rows_of(report)
    if not rows:
        console.print("No numbers yet.")
        return
    console.print(_fitting(rows, console))
    print_revision(report)
    for verdict in report["verdicts"]:
        console.print(_verdict(verdict))
    notes = (*report["warnings"], *report["summary"]["warnings"], *_unanswered(report))
    for note in notes:
        console.print(Text(f"note: {note}", "dim"))


def _fitting(rows: Sequence[Row], console: Console) -> Table:
    """The table with as many columns as there is room for."""
    columns = [column for column in SHOWN if any(map(column.text, rows))]
    endless = console.options.update(max_width=10_000)
    while True:
        table = _table(rows, columns)
        least = max(columns, key=lambda column: column.rank)
        if Measurement.get(console, endless, table).maximum <= console.width or not least.rank:
            return table
        columns.remove(least)


def _unanswered(report: Report) -> Iterator[str]:
    for arm, of in report.get("branching", {}).get("arms", {}).items():
        if of["left_to_greedy"]:
            count = f"{of['left_to_greedy']} of {of['problems']} problems"
            yield f"{arm}: {count} have no branch with an answer; left to greedy decoding"


def _table(rows: Sequence[Row], columns: Sequence[Column]) -> Table:
    table = Table(box=None, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column.head, justify="right" if i else "left", no_wrap=True)
    for row in rows:
        if row["role"] not in SEEDED:
            style = "bold" if row["role"] == "steered" else None
            table.add_row(*(Text(column.text(row)) for column in columns), style=style)
    for line in _seeded(rows):
        table.add_row(*(Text(line.get(column.head, "")) for column in columns))
    return table


def _seeded(rows: Sequence[Row]) -> Iterator[Mapping[str, str]]:
    """The seeds of a kind of null on one line, by the heads of columns: mean, least … most."""
    for role in SEEDED:
        found = [row["accuracy"] for row in rows if row["role"] == role]
        if found:
            yield {
                "arm": f"{role} × {len(found)}",
                "right %": percent(sum(found) / len(found)),
                "95 %": f"{percent(min(found))} … {percent(max(found))}",
            }


def _verdict(verdict: dict[str, Any]) -> RenderableType:
    findings = Table.grid(padding=(0, 1))
    for finding in verdict["findings"]:
        sign, style = MARKS[finding["holds"]]
        findings.add_row(Text(sign, style), Text(finding["rule"]), Text(finding["says"], "dim"))
    cautions = [Text(f"· {caution}", "yellow") for caution in verdict["cautions"]]
    title = Text(f"{verdict['arm']}: {verdict['outcome']}", "bold")
    return Panel(Group(findings, *cautions), title=title, title_align="left")
