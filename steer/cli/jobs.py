"""What commands that make runs share: where they run, waiting for them, coming back to them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import typer

from steer.errors import FailedPrecondition, InvalidRequest
from steer.specs import Extractor, InlineTask, Run, RunReport

if TYPE_CHECKING:
    from steer.client.client import Client
    from steer.client.runs import RunHandle

ORGANISMS = ("a1", "a2", "dataalchemy")
"""Bundled tasks that have an organism of their name."""

_COMING_BACK = "run model target json report_html report_json report_csv show".split()
"""Parameters of commands that say nothing about what a run is to do."""


def check_asked(context: typer.Context, name: str, subject: str, run: str) -> None:
    """A command is told what to make, by the option or argument ``name``, or which run to come
    back to, of which nothing can be said anew. Raises InvalidRequest."""
    if subject:
        return
    if not run:
        raise InvalidRequest(f"say {name}, or --run to come back to one")
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name not in _COMING_BACK and _said(context, option.name or "")
    ]
    if given:
        message = f"--run without {name} comes back to a run as it was made; leave out"
        raise InvalidRequest(f"{message} {', '.join(given)}")


def _said(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@contextmanager
def serving(target: str | None, model: str, task: str) -> "Iterator[Client]":
    """A client of the target, or of a server of one's own that keeps its runs."""
    from steer.cli.local_server import local_server
    from steer.client.client import Client

    if not (target or model) and task and task not in ORGANISMS:
        raise InvalidRequest(f"--task {task} has no organism; say --model or --target")
    served = model or f"organism/{task or ORGANISMS[0]}"
    place = nullcontext(target) if target else local_server(served, kept=True)
    with place as address, Client(address) as client:
        yield client


def task_of(task: str, extractor: Extractor, pattern: str) -> "str | InlineTask":
    """A bundled task by name, or the caller's, of a file. Raises InvalidRequest."""
    from steer.client.evaluations import jsonl_task

    if task.endswith(".jsonl"):
        return jsonl_task(task, extractor=extractor, pattern=pattern)
    if pattern or extractor is not Extractor.EXACT:
        raise InvalidRequest("--extractor and --pattern go with a FILE.jsonl")
    return task


def finished(
    handle: "RunHandle", command: str, show: "Callable[[RunHandle], Run] | None" = None
) -> RunReport:
    """Follow a run to its end, and its report; ``show``: how, without it with a bar. Before it is
    said what the sample is too small for; whoever stops waiting is told how to come back."""
    from steer.cli.progress import follow

    if not sys.stderr.isatty():  # Nobody sees a bar that names it.
        print(f"run {handle.id}", file=sys.stderr)
    for warning in () if handle.run.state.final else handle.warnings:
        print(f"note: {warning}", file=sys.stderr)
    try:
        (show or follow)(handle)
    except KeyboardInterrupt:
        print(f"come back with: steer {command} --run {handle.id}", file=sys.stderr)
        raise
    return RunReport(handle.run, handle.report())


def known(client: "Client", run: str) -> "RunHandle":
    """A run to come back to. Raises FailedPrecondition where it could not go on."""
    handle, serving = client.runs.get(run), client.model()
    if not handle.run.state.final and handle.run.fingerprint != serving.fingerprint:
        message = f"run {run} is about {handle.run.model}, served is {serving.id}; say --model"
        raise FailedPrecondition(message, reason="OTHER_MODEL")
    return handle


def numbers(text: str, option: str) -> list[float]:
    """Numbers with commas between them. Raises InvalidRequest that names the option."""
    try:
        return [float(word) for word in text.split(",")] if text else []
    except ValueError:
        raise InvalidRequest(f"{option} is numbers with commas, not {text!r}") from None


def layer_numbers(text: str) -> list[int]:
    """``0-2,5`` is 0, 1, 2, 5. Raises InvalidRequest."""
    found: list[int] = []
    for part in text.split(",") if text else ():
        low, dash, high = part.strip().partition("-")
        ends = [low, high] if dash else [low]
        if not all(map(str.isdecimal, ends)) or int(low) > int(ends[-1]):
            raise InvalidRequest(f"--layers is like 0-5,8, not {text!r}")
        found += range(int(low), int(ends[-1]) + 1)
    return found
