"""What the terminal shows of a training run."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from steer.cli.curves import drawn


def print_training(report: Mapping[str, Any]) -> None:
    """Its curve, why it ended, and what was stored."""
    console = Console()
    console.print(drawn(report["table"]))
    if "address" not in report:
        console.print(f"step {report['steps']}; nothing is stored yet")
        return
    console.print(
        f"stored [bold]{report['name']}[/], of step {report['kept_step']}", highlight=False
    )
    console.print(Text(f"{report['address']}", "dim"))
    console.print(Text(f"ended: {report['because']}", "dim"))
    measured = report["card"]["measured"]
    if measured:
        console.print(
            f"select: {measured['unsteered_selected']:g} % → {measured['selected']:g} % of "
            f"{measured['n']}, which chose the step; `steer evaluate` says what it is worth"
        )
