"""What the terminal shows of a training run."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from steer.cli.curves import drawn
from steer.report.training_page import chosen


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
    if measured := report["card"]["measured"]:
        console.print(chosen(measured))
