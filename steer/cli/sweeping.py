"""What the terminal shows of a sweep: its cells, the best of them, and its evaluation."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steer.cli.evaluation import print_evaluation
from steer.report.columns import number, p_value, percent, points

Found = Mapping[str, Any]


def print_sweep(report: Found) -> None:
    """The cells as a map: a line for each op, point and strength, a column for each layer."""
    console = Console()
    rows = [row for row in report.get("table", ()) if row["op"] is not None]
    if not rows:
        console.print("No numbers yet.")
        return
    (baseline,) = (row for row in report["table"] if row["op"] is None)
    console.print(
        Text(f"right %, of {report['select_n']} that choose; unsteered: {_cell(baseline)}")
    )
    console.print(_map(rows))
    if report["modes"]:
        console.print(_modes(report["modes"]))
    best = report.get("best")
    if best is None:
        console.print("Not every cell is done.")
        return
    (chosen,) = (row for row in rows if row["name"] == best["name"])
    console.print(
        Text(
            f"best: {best['name']}, {points(chosen['difference'])} points, "
            f"p {p_value(chosen['p_holm'])} over {len(rows)} cells; on other problems:",
            "bold",
        )
    )
    print_evaluation(report["evaluation"])


def _map(rows: list[Found]) -> Table:
    layers = sorted({row["layer"] for row in rows if row["layer"] is not None})
    table = Table(box=None, pad_edge=False)
    table.add_column("right % (kept %) by layer", no_wrap=True)
    for layer in layers or [""]:
        table.add_column(str(layer), justify="right")
    lines: dict[str, dict[Any, str]] = {}
    for row in rows:
        label = f"{row['op']} {row['point'] or ''} ×{row['strength']:g}"
        lines.setdefault(label, {})[row["layer"]] = _cell(row)
    for label, cells in lines.items():
        table.add_row(Text(label), *(cells.get(layer, "") for layer in layers or [None]))
    return table


def _cell(row: Found) -> str:
    kept = "" if row["retention"] is None else f" ({100 * row['retention']:.0f})"
    return percent(row["accuracy"]) + kept


def _modes(modes: list[Found]) -> Table:
    """CKA of plain and cued prompts, and its noise floor."""
    points_ = list(dict.fromkeys(one["point"] for one in modes))
    table = Table(box=None, pad_edge=False)
    table.add_column("CKA of plain and cued by layer", no_wrap=True)
    for layer in sorted({one["layer"] for one in modes}):
        table.add_column(str(layer), justify="right")
    for label, key in (("", "value"), (", noise floor", "floor")):
        for point in points_:
            table.add_row(
                f"{point}{label}", *_values(modes, point, key), style="dim" * (key == "floor")
            )
    return table


def _values(modes: list[Found], point: str, key: str) -> Iterator[str]:
    found = sorted((one for one in modes if one["point"] == point), key=lambda one: one["layer"])
    return ("" if one[key] is None else number(one[key]) for one in found)
