"""Printing: JSON for programs, rich for people."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steer.errors import InvalidRequest

_UNBROKEN = 100_000


def print_json(value: Any) -> None:
    """JSON on stdout; enums and tuples as their plain values."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_rich(renderable: Any) -> None:
    """Anything rich can show, on stdout."""
    from rich.console import Console

    Console().print(renderable)


def print_table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A plain table, of text without markup. Nothing is cut, and the first column is not broken;
    where nobody sits, no line is: a row is a line for other programs."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=_UNBROKEN)
    console.print(table)


@contextmanager
def path_errors(path: Path) -> Iterator[None]:
    """Around work on a path somebody gave. Raises InvalidRequest for what fails."""
    try:
        yield
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror or error}", reason="FILE") from None
