"""``steer evaluate``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steer.cli.options import (
    Arms,
    Json,
    Layers,
    Recipes,
    Relative,
    Target,
    Treatments,
    Vectors,
    When,
)
from steer.cli.run_report import write
from steer.errors import FailedPrecondition, InvalidRequest
from steer.specs import Controls, EvaluateSpec, Extractor

if TYPE_CHECKING:
    from steer.client.arms import Treatment
    from steer.client.client import Client
    from steer.client.evaluations import EvaluateOptions
    from steer.client.runs import RunHandle

_DEFAULT = EvaluateSpec("", ())
_ORGANISMS = ("a1", "a2", "dataalchemy")


def evaluate(
    task: Annotated[str, typer.Option(help="A bundled task, or FILE.jsonl.")] = "",
    vector: Vectors = None,
    recipe: Recipes = None,
    arm: Arms = None,
    layer: Layers = None,
    phase: When = None,
    relative: Relative = False,
    orthogonal_to: Annotated[
        str, typer.Option(help="NAME of a vector: one more arm, without the component along it.")
    ] = "",
    controls: Annotated[Controls, typer.Option(help="Controls to add.")] = Controls.STANDARD,
    n: Annotated[int, typer.Option("--n", help="Problems.")] = _DEFAULT.n,
    split: Annotated[str, typer.Option(help="Part of the task.")] = _DEFAULT.split,
    samples: Annotated[int, typer.Option(help="Completions of each.")] = _DEFAULT.samples,
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = 0.0,
    max_tokens: Annotated[int, typer.Option(help="0 is what the task needs.")] = 0,
    seed: Annotated[int, typer.Option(help="Of problems, samples and controls.")] = _DEFAULT.seed,
    strengths: Annotated[
        str, typer.Option(help="Multiples of the subject's strength: 0.5,1.5,2.")
    ] = "",
    random_seeds: Annotated[
        int, typer.Option(help="Random vectors of each kind.")
    ] = _DEFAULT.random_seeds,
    extractor: Annotated[
        Extractor, typer.Option(help="Where the answer is, of a FILE.")
    ] = Extractor.EXACT,
    pattern: Annotated[str, typer.Option(help="Of the extractor regex.")] = "",
    run: Annotated[str, typer.Option(help="ID: of a new run, or of one to come back to.")] = "",
    model: Annotated[
        str, typer.Option(help="Without --target: what to serve. Default: the task's organism.")
    ] = "",
    report_html: Annotated[Path | None, typer.Option(help="Write a page of HTML here.")] = None,
    report_json: Annotated[Path | None, typer.Option(help="Write the report here.")] = None,
    report_csv: Annotated[Path | None, typer.Option(help="Write the table of arms here.")] = None,
    json: Json = False,
    target: Target = None,
) -> None:
    """Ask every problem of a task under every arm and its controls; ends in a verdict.

    It is a stored run: when you stop waiting it goes on with its server, and --run brings you back.
    Starts a server of its own unless --target names one.
    """
    from steer.cli.evaluation import print_evaluation
    from steer.cli.output import print_json
    from steer.cli.progress import follow

    if not (task or run):
        raise InvalidRequest("say --task, or --run to come back to one")
    arms = Treatments(vector or (), arm or (), layer or (), phase, relative, 0, recipe or ())
    options: EvaluateOptions = {
        "controls": controls,
        "n": n,
        "split": split,
        "samples": samples,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "seed": seed,
        "strengths": _numbers(strengths),
        "random_seeds": random_seeds,
    }
    with _served(target, model, task) as client:
        if task:
            options["arms"] = _treatments(arms, orthogonal_to, client)
            asked = _task(task, extractor, pattern)
            handle = client.runs.evaluate(asked, run_id=run, **options)
        else:
            handle = _known(client, run)
        try:
            follow(handle)
        except KeyboardInterrupt:
            print(f"come back with: steer evaluate --run {handle.id}", file=sys.stderr)
            raise
        report = handle.report()
    write(report, handle.id, report_html, report_json, report_csv)
    print_json(report) if json else print_evaluation(report)


@contextmanager
def _served(target: str | None, model: str, task: str) -> "Iterator[Client]":
    """A client of the target, or of a server of one's own that keeps its runs."""
    from steer.cli.local_server import local_server
    from steer.client.client import Client

    if not (target or model) and task and task not in _ORGANISMS:
        raise InvalidRequest(f"--task {task} has no organism; say --model or --target")
    served = model or f"organism/{task or _ORGANISMS[0]}"
    place = nullcontext(target) if target else local_server(served, kept=True)
    with place as address, Client(address) as client:
        yield client


def _task(task: str, extractor: Extractor, pattern: str) -> Any:
    from steer.client.evaluations import jsonl_task

    if task.endswith(".jsonl"):
        return jsonl_task(task, extractor=extractor, pattern=pattern)
    if pattern or extractor is not Extractor.EXACT:
        raise InvalidRequest("--extractor and --pattern go with a FILE.jsonl")
    return task


def _treatments(arms: Treatments, other: str, client: "Client") -> "dict[str, Treatment]":
    """The arms; with ``other``, also the first of them without its component along that vector."""
    from steer.client.controls import orthogonal_to

    found: dict[str, Treatment] = dict(arms.recipes(client))
    if other and not found:
        raise InvalidRequest("--orthogonal-to goes with --vector, --recipe or --arm")
    if other:
        found["orthogonal"] = orthogonal_to(next(iter(arms.recipes(client).values())), other)
    return found


def _known(client: "Client", run: str) -> "RunHandle":
    """A run to come back to. Raises FailedPrecondition where it could not go on."""
    handle, serving = client.runs.get(run), client.model()
    if not handle.run.state.final and handle.run.fingerprint != serving.fingerprint:
        message = f"run {run} is about {handle.run.model}, served is {serving.id}; say --model"
        raise FailedPrecondition(message, reason="OTHER_MODEL")
    return handle


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",")] if text else []
    except ValueError:
        raise InvalidRequest(f"--strengths is numbers with commas, not {text!r}") from None
