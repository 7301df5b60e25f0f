"""``steer train``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steer.cli.jobs import check_asked, finished, known, layer_numbers, serving, task_of
from steer.cli.options import (
    FileExtractor,
    Json,
    MaxTokens,
    Pattern,
    Problems,
    RunId,
    Served,
    Target,
    up_to,
)
from steer.cli.run_report import show
from steer.errors import InvalidRequest
from steer.specs import Extractor, Objective, TrainSpec
from steer.types import Phase, Point

if TYPE_CHECKING:
    from steer.client.trainings import TrainOptions

_DEFAULT = TrainSpec("", Objective.RLOO)


def train(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="NAME under which the vector is stored.")] = "",
    task: Problems = "",
    demonstrations: Annotated[
        Path | None,
        typer.Option(help="FILE.jsonl with prompt and target on each line; for cross_entropy."),
    ] = None,
    objective: Annotated[Objective, typer.Option(help="What is climbed.")] = Objective.RLOO,
    layers: Annotated[str, typer.Option(help="Such as 2 or 0-5,8: a vector for each.")] = "",
    point: Annotated[list[Point] | None, typer.Option(help="Where in a block; repeatable.")] = None,
    phase: Annotated[Phase, typer.Option(help="At which positions it acts.")] = _DEFAULT.phase,
    train_n: Annotated[
        int | None,
        typer.Option(help="Problems to learn from.", show_default=up_to(_DEFAULT.train_n)),
    ] = None,
    steps: Annotated[int, typer.Option(help="Most steps.")] = _DEFAULT.steps,
    batch: Annotated[int, typer.Option(help="Prompts in a step.")] = _DEFAULT.batch,
    group: Annotated[int, typer.Option(help="Completions of each, for rewards.")] = _DEFAULT.group,
    rate: Annotated[float, typer.Option(help="Learning rate of Adam.")] = _DEFAULT.rate,
    cosine: Annotated[bool, typer.Option(help="Bring the rate to zero.")] = False,
    temperature: Annotated[float, typer.Option(help="Of samples.")] = _DEFAULT.temperature,
    max_tokens: MaxTokens = 0,
    kl: Annotated[float, typer.Option(help="Weight of KL to the unsteered model.")] = 0.0,
    retain: Annotated[float, typer.Option(help="Weight of KL on what is to be retained.")] = 0.0,
    norm: Annotated[float, typer.Option(help="Weight of the squared norms.")] = 0.0,
    teacher: Annotated[float, typer.Option(help="Weight of KL to the model under the cue.")] = 0.0,
    teacher_top_k: Annotated[
        int, typer.Option(help="Tokens of the teacher that count.")
    ] = _DEFAULT.teacher_top_k,
    swapped: Annotated[bool, typer.Option(help="A control: other problems' traces.")] = False,
    select_n: Annotated[
        int | None,
        typer.Option(
            help="Problems that choose the step; 0 keeps the last.",
            show_default=up_to(_DEFAULT.select_n),
        ),
    ] = None,
    select_every: Annotated[
        int, typer.Option(help="Steps between looks at them.")
    ] = _DEFAULT.select_every,
    enough: Annotated[
        float | None, typer.Option(help="Share of them, 0 to 1, that ends it.")
    ] = None,
    patience: Annotated[
        int, typer.Option(help="Steps without differing rewards until it gives up.")
    ] = _DEFAULT.patience,
    seed: Annotated[int, typer.Option(help="Of examples and samples.")] = _DEFAULT.seed,
    description: Annotated[str, typer.Option(help="For its card.")] = "",
    licence: Annotated[str, typer.Option(help="For its card.")] = "",
    extractor: FileExtractor = Extractor.EXACT,
    pattern: Pattern = "",
    run: RunId = "",
    model: Served = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """Train a vector for each site while the model stays as it is, and store it with its card.

    It is a stored run: when you stop waiting it goes on with its server, and --run brings you back;
    a server that is killed goes on from the last checkpoint. Starts a server of its own unless
    --target names one; the vector is then in your own store.
    """
    from steer.cli.curves import watch
    from steer.cli.output import print_json
    from steer.client.trainings import read_demonstrations

    check_asked(context, "NAME", name, run)
    if name and not layers:
        raise InvalidRequest("say --layers, such as 2")
    points = point or [Point.RESID_POST]
    options: TrainOptions = {
        "objective": objective,
        "sites": [(layer, at) for layer in layer_numbers(layers) for at in points],
        "where": phase,
        "train_n": _DEFAULT.train_n if train_n is None else train_n,
        "steps": steps,
        "batch": batch,
        "group": group,
        "rate": rate,
        "cosine": cosine,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "kl": kl,
        "retain": retain,
        "norm": norm,
        "teacher": teacher,
        "teacher_top_k": teacher_top_k,
        "swapped": swapped,
        "select_n": _DEFAULT.select_n if select_n is None else select_n,
        "select_every": select_every,
        "patience": patience,
        "seed": seed,
        "description": description,
        "licence": licence,
    }
    if enough is not None:
        options["enough"] = enough
    if task:
        options["task"] = task_of(task, extractor, pattern)
    if demonstrations is not None:
        options["demonstrations"] = read_demonstrations(demonstrations)
    with serving(target, model, task) as client:
        handle = client.runs.train(name, run_id=run, **options) if name else known(client, run)
        found = finished(handle, "train", watch)
    print_json(found.report) if json else show(found)
