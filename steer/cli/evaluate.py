"""``steer evaluate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steer.cli.jobs import check_asked, finished, known, numbers, serving, task_of
from steer.cli.options import (
    Arms,
    Branches,
    Extractors,
    Json,
    Layers,
    MaxTokens,
    PageFile,
    Pattern,
    Problems,
    Recipes,
    Relative,
    ReportFile,
    RunId,
    Served,
    Target,
    Temperature,
    Treatments,
    Vectors,
    When,
    branching_of,
    up_to,
)
from steer.cli.run_report import Files, show
from steer.errors import InvalidRequest
from steer.specs import Controls, EvaluateSpec, Extractor

if TYPE_CHECKING:
    from steer.client.arms import Treatment
    from steer.client.client import Client
    from steer.client.evaluations import EvaluateOptions

_DEFAULT = EvaluateSpec("", ())


def evaluate(
    context: typer.Context,
    task: Problems = "",
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
    n: Annotated[
        int | None, typer.Option("--n", help="Problems.", show_default=up_to(_DEFAULT.n))
    ] = None,
    split: Annotated[str, typer.Option(help="Part of the task.")] = _DEFAULT.split,
    samples: Annotated[int, typer.Option(help="Completions of each.")] = _DEFAULT.samples,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 0,
    seed: Annotated[int, typer.Option(help="Of problems, samples and controls.")] = _DEFAULT.seed,
    strengths: Annotated[
        str, typer.Option(help="Multiples of the subject's strength: 0.5,1.5,2.")
    ] = "",
    random_seeds: Annotated[
        int, typer.Option(help="Random vectors of each kind.")
    ] = _DEFAULT.random_seeds,
    subject: Annotated[
        str, typer.Option(help="ARM that claims are about. Default: the first.")
    ] = "",
    ceiling: Annotated[
        str, typer.Option(help="ARM the gap is measured to. Default: the task's cue.")
    ] = "",
    swapped_target: Annotated[
        str, typer.Option(help="ARM of a vector trained on other problems' traces.")
    ] = "",
    untaught: Annotated[
        str, typer.Option(help="ID of the same evaluation of a model that never saw a trace.")
    ] = "",
    branches: Branches = 0,
    extractor: Extractors = None,
    pattern: Pattern = "",
    run: RunId = "",
    model: Served = "",
    report_html: PageFile = None,
    report_json: ReportFile = None,
    report_csv: Annotated[Path | None, typer.Option(help="Write the table of arms here.")] = None,
    json: Json = False,
    target: Target = None,
) -> None:
    """Ask every problem of a task under every arm and its controls; ends in a verdict.

    It is a stored run: when you stop waiting it goes on with its server, and --run brings you back.
    Starts a server of its own unless --target names one.
    """
    from steer.cli.output import print_json

    check_asked(context, "--task", task, run)
    files = Files(report_html, report_json, report_csv)
    arms = Treatments(vector or (), arm or (), layer or (), phase, relative, 0, recipe or ())
    options: EvaluateOptions = {
        "controls": controls,
        "n": _DEFAULT.n if n is None else n,
        "split": split,
        "samples": samples,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "seed": seed,
        "strengths": numbers(strengths, "--strengths"),
        "random_seeds": random_seeds,
        "subject": subject,
        "ceiling": ceiling,
        "swapped_target": swapped_target,
        "untaught": untaught,
        "branches": branching_of(branches, extractor, pattern),
    }
    with serving(target, model, task) as client:
        if task:
            options["arms"] = _treatments(arms, orthogonal_to, client)
            # Of a bundled task the extractor can only be that of the branches.
            own = task.endswith(".jsonl") or not branches
            asked = task_of(task, extractor or Extractor.EXACT, pattern) if own else task
            handle = client.runs.evaluate(asked, run_id=run, **options)
        else:
            handle = known(client, run)
        found = finished(handle, "evaluate")
    files.write(found)
    print_json(found.report) if json else show(found)


def _treatments(arms: Treatments, other: str, client: "Client") -> "dict[str, Treatment]":
    """The arms; with ``other``, also the first of them without its component along that vector."""
    from steer.client.controls import orthogonal_to

    found: dict[str, Treatment] = dict(arms.recipes(client))
    if other and not found:
        raise InvalidRequest("--orthogonal-to goes with --vector, --recipe or --arm")
    if other:
        found["orthogonal"] = orthogonal_to(next(iter(arms.recipes(client).values())), other)
    return found
