"""What the terminal shows of revised answers."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steer.report.columns import percent, points

HEADS = ("revised", "first right %", "revised right %", "δ", "95 %", "r_c %", "r_o %")


def print_revision(report: Mapping[str, Any], examples: int = 0) -> None:
    """How many answers revising put right and spoilt, by arm, and the texts of some problems.
    Nothing of a report without revisions."""
    revision = report.get("revision")
    if revision is None:
        return
    console = Console()
    table = Table(box=None, pad_edge=False)
    for i, head in enumerate(HEADS):
        table.add_column(head, justify="right" if i else "left")
    for arm, found in revision["arms"].items():
        table.add_row(*map(Text, _line(arm, found)))
    console.print(table)
    shown = list(dict.fromkeys(one["item"] for one in revision["examples"]))[:examples]
    for one in revision["examples"]:
        if one["item"] in shown:
            console.print(_example(one))


def _line(arm: str, found: Mapping[str, Any]) -> Iterator[str]:
    modes, delta = found["modes"], found["delta"]
    first = _first(found)
    yield arm.removesuffix("/revised")
    yield percent(first)
    yield percent(first + modes["delta"])
    yield points(delta["value"])
    yield f"{points(delta['low'])} … {points(delta['high'])}"
    yield _rate(found["correction"])
    yield _rate(found["overthinking"])


def _first(found: Mapping[str, Any]) -> float:
    """Share of first answers that were right: r_o is a rate of those."""
    of = found["overthinking"]
    return of["n"] / found["modes"]["n"] if of else 0.0


def _rate(rate: Mapping[str, Any] | None) -> str:
    if rate is None:
        return "none to tell"
    return f"{percent(rate['value'])} ({percent(rate['low'])} … {percent(rate['high'])})"


def _example(one: Mapping[str, Any]) -> Text:
    mark = {True: "right", False: "wrong"}
    shown = Text(f"\n{one['arm']}, {one['item']}\n", "bold")
    stages = (
        (f"answer ({mark[one['first_right']]})", one["answer"]),
        ("critique", one["critique"]),
        (f"revised ({mark[one['revised_right']]})", one["revised"]),
    )
    for head, text in stages:
        shown.append(f"{head}: ", "cyan").append(f"{text.strip()}\n", "default")
    return shown
