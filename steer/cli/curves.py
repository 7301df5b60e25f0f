"""Curves of a run in the terminal, while it runs and afterwards."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from steer.specs import Run, RunState

if TYPE_CHECKING:
    from steer.client.runs import RunHandle

BARS = "▁▂▃▄▅▆▇█"
COLUMNS = 60
SHOWN = ("reward", "loss", "selected", "retained", "kl", "retention_kl", "teacher_kl")
"""Numbers of a step that are drawn; shares of ‖h‖ come after them."""

Records = Sequence[Mapping[str, Any]]


def watch(handle: "RunHandle") -> Run:
    """Draw a run's records on stderr until it is over. Raises what ``RunHandle.wait`` does."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    progress, records = Progress(*columns), list[Mapping[str, Any]]()
    bar = progress.add_task(handle.id, total=None)
    with Live(console=Console(stderr=True), transient=True) as live:
        for event in handle.events():
            run = event.run
            records += [record for one in event.results for record in one.result["records"]]
            words = run.id if run.state is RunState.RUNNING else f"{run.id} ({run.state})"
            progress.update(bar, description=words, completed=run.done, total=run.total or None)
            live.update(Group(progress, drawn(records)))
    return handle.wait()


def drawn(records: Records) -> RenderableType:
    """A line for each number that some records have: how it went, and its last value."""
    table = Table.grid(padding=(0, 1))
    for name in _names(records):
        values = [record[name] for record in records if record.get(name) is not None]
        table.add_row(Text(name, "dim"), spark(values), f"{values[-1]:.3g}")
    return table


def spark(values: Sequence[float], columns: int = COLUMNS) -> str:
    """Numbers as a line of bars from their least to their largest; neighbours are averaged where
    there are more than columns."""
    width = min(len(values), columns)
    edges = [round(i * len(values) / width) for i in range(width + 1)]
    pairs = pairwise(edges)
    means = [sum(values[begin:end]) / (end - begin) for begin, end in pairs]
    low, high = min(means), max(means)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round(scale * (mean - low))] for mean in means)


def _names(records: Records) -> list[str]:
    there = dict.fromkeys(name for record in records for name in record)
    relative = [name for name in there if name.startswith("relative.")]
    return [*(name for name in SHOWN if name in there), *relative]
