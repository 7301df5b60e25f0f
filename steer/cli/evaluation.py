"""What the terminal shows of an evaluation: its arms and its verdict."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from steer.report.columns import SHOWN, Report, Row, percent, rows_of

MARKS = {True: ("✓", "green"), False: ("✗", "dim"), None: ("?", "dim")}
SEEDED = ("random", "within_class", "stratified")
"""Roles whose arms share a line."""


def print_evaluation(report: Report) -> None:
    """The arms, the seeds of a null on one line, and the verdicts with their findings."""
    console = Console()
    rows = rows_of(report)
    if not rows:
        console.print("No numbers yet.")
        return
    console.print(_table(rows))
    for verdict in report["verdicts"]:
        console.print(_verdict(verdict))
    for note in (*report["warnings"], *report["summary"]["warnings"]):
        console.print(Text(f"note: {note}", "dim"))


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    for i, column in enumerate(SHOWN):
        table.add_column(column.head, justify="right" if i else "left")
    for row in rows:
        if row["role"] not in SEEDED:
            style = "bold" if row["role"] == "steered" else None
            table.add_row(*(Text(column.text(row)) for column in SHOWN), style=style)
    for line in _seeded(rows):
        table.add_row(*map(Text, line))
    return table


def _seeded(rows: Sequence[Row]) -> Iterator[list[str]]:
    for role in SEEDED:
        found = [row["accuracy"] for row in rows if row["role"] == role]
        if found:
            mean, ends = (
                percent(sum(found) / len(found)),
                (percent(min(found)), percent(max(found))),
            )
            yield [f"{role} × {len(found)}", "", mean, f"{ends[0]} … {ends[1]}"]


def _verdict(verdict: dict[str, Any]) -> RenderableType:
    findings = Table.grid(padding=(0, 1))
    for finding in verdict["findings"]:
        sign, style = MARKS[finding["holds"]]
        findings.add_row(Text(sign, style), Text(finding["rule"]), Text(finding["says"], "dim"))
    cautions = [Text(f"· {caution}", "yellow") for caution in verdict["cautions"]]
    title = Text(f"{verdict['arm']}: {verdict['outcome']}", "bold")
    return Panel(Group(findings, *cautions), title=title, title_align="left")
