"""A bar for a run that is followed."""

from typing import TYPE_CHECKING

from steer.specs import Run, RunState

if TYPE_CHECKING:
    from steer.client.runs import RunHandle


def follow(handle: "RunHandle") -> Run:
    """Show a bar on stderr until the run is over. Raises what ``RunHandle.wait`` does."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(handle.id, total=None)
        for run in handle.progress():
            words = run.id if run.state is RunState.RUNNING else f"{run.id} ({run.state})"
            progress.update(bar, description=words, completed=run.done, total=run.total or None)
    return handle.wait()
