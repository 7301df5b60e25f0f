"""``steer demo``: the bundled organism, with and without, against its controls."""

import asyncio
import json as json_module
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from steer.cli.options import Target

_EXAMPLES = 3


def demo(
    json: Annotated[Path | None, typer.Option(help="Write the numbers to this file.")] = None,
    problems: Annotated[int, typer.Option(min=1, help="Held-out problems.")] = 100,
    target: Target = None,
) -> None:
    """Measure what the stored vectors elicit from organism/a1, and what their controls do.

    Starts a server of its own unless --target names one.
    """
    from steer.cli.experiment import measure
    from steer.cli.local_server import local_server
    from steer.cli.report import as_json, print_examples, print_report
    from steer.client.client import Client
    from steer.tasks import a1

    items = a1.problems("report", problems)
    with nullcontext(target) if target else local_server("organism/a1") as address:
        outcomes = asyncio.run(measure(address, items))
        with Client(address) as client:
            print_examples(client, items[:_EXAMPLES])
    print_report(outcomes)
    if json is not None:
        json.write_text(json_module.dumps(as_json(outcomes), indent=2) + "\n", encoding="utf-8")
