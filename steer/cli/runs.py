"""``steer runs``."""

import json as jsonlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from steer.cli.options import Json, Target
from steer.cli.output import print_json, print_table
from steer.specs import Run, RunState

app = typer.Typer(help="Stored runs.", no_args_is_help=True)

_LONGEST = 600

RunId = Annotated[str, typer.Argument(help="Id of the run.")]


@app.command("list")
def list_runs(
    kind: Annotated[str, typer.Option(help="Only runs of this kind, such as evaluate.")] = "",
    state: Annotated[
        list[RunState] | None, typer.Option(help="Only runs in this state; repeatable.")
    ] = None,
    json: Json = False,
    target: Target = None,
) -> None:
    """List stored runs, newest first."""
    from steer.client.client import Client

    with Client(target) as client:
        found = list(client.runs.list(kind=kind, states=state or ()))
    if json:
        print_json([_plain(run) for run in found])
        return
    print_table(
        ("id", "state", "done", "of", "kind", "model", "created", "name"),
        map(_row, found),
    )


@app.command("show")
def show(run_id: RunId, json: Json = False, target: Target = None) -> None:
    """Show one run and what it does; ``steer report`` shows what came of it."""
    from steer.client.client import Client

    with Client(target) as client:
        run = client.runs.get(run_id).run
    if json:
        print_json(_plain(run))
        return
    print_table(("field", "value"), _fields(run))
    spec = _plain(run)["spec"][run.kind]
    print_table((run.kind, ""), ((key, _short(value)) for key, value in spec.items()))


@app.command("watch")
def watch(
    run_id: RunId,
    json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a change.")] = False,
    target: Target = None,
) -> None:
    """Follow a run until it is over. Leaving does not stop it; a run that fails is an error."""
    from steer.cli.progress import follow
    from steer.client.client import Client

    with Client(target) as client:
        handle = client.runs.get(run_id)
        if json:
            for run in handle.progress():
                print(jsonlib.dumps(_plain(run), ensure_ascii=False), flush=True)
            handle.wait()
        else:
            follow(handle)


@app.command("cancel")
def cancel(run_id: RunId, json: Json = False, target: Target = None) -> None:
    """Stop a run. Its results stay."""
    from steer.client.client import Client

    with Client(target) as client:
        run = client.runs.cancel(run_id)
    if json:
        print_json(_plain(run))
        return
    print_table(("field", "value"), _fields(run))


@app.command("rm")
def remove(run_id: RunId, target: Target = None) -> None:
    """Remove a run and its results, whatever its state."""
    from steer.client.client import Client

    with Client(target) as client:
        client.runs.delete(run_id)


def _short(value: object) -> str:
    """JSON; the middle of what is long, such as a task's problems, is for ``--json``."""
    text = jsonlib.dumps(value, ensure_ascii=False)
    left = len(text) - _LONGEST
    if left <= 0:
        return text
    half = _LONGEST // 2
    return f"{text[:half]} … {left} characters, see --json … {text[-half:]}"


def _plain(run: Run) -> dict[str, Any]:
    """JSON values; the spec in the standard mapping of protobuf."""
    from steer import wire

    spec = None if run.spec is None else jsonlib.loads(wire.run_spec_to_json(run.spec))
    return {**asdict(run), "spec": spec}


def _row(run: Run) -> tuple[object, ...]:
    progress = (_state(run), run.done, run.total or "")
    return (run.id, *progress, run.kind, run.model, _time(run.created), run.name)


def _fields(run: Run) -> Iterator[tuple[str, object]]:
    yield from (("id", run.id), ("state", _state(run)))
    if run.name:
        yield "name", run.name
    if run.failure is not None:
        yield "failure", f"{run.failure.message} ({run.failure.reason})"
    yield "done", f"{run.done} of {run.total} units"
    yield "model", f"{run.model} ({run.fingerprint})"
    yield "spec_hash", run.spec_hash
    for name in ("created", "started", "ended"):
        if (time := getattr(run, name)) is not None:
            yield name, _time(time)
    yield "attempts", run.attempts


def _state(run: Run) -> str:
    return "cancelling" if run.cancelling and not run.state.final else str(run.state)


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"
