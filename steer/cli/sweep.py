"""``steer sweep``."""

from pathlib import Path
from typing import Annotated

import typer

from steer.cli.jobs import check_asked, finished, known, layer_numbers, numbers, serving, task_of
from steer.cli.options import (
    Arms,
    FileExtractor,
    Json,
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
    up_to,
)
from steer.cli.run_report import Files, show
from steer.specs import Extractor, SweepSpec
from steer.types import Point

_DEFAULT = SweepSpec("", ())


def sweep(
    context: typer.Context,
    task: Problems = "",
    vector: Vectors = None,
    recipe: Recipes = None,
    arm: Arms = None,
    phase: When = None,
    relative: Relative = False,
    layers: Annotated[
        str, typer.Option(help="Such as 0-5,8. Default: where the vectors are stored for.")
    ] = "",
    point: Annotated[
        list[Point] | None, typer.Option(help="Repeatable. Default: as the vectors are stored for.")
    ] = None,
    strengths: Annotated[str, typer.Option(help="Multiples of the arms' own: 0.5,1,2.")] = "1",
    n: Annotated[
        int | None,
        typer.Option("--n", help="Problems that choose.", show_default=up_to(_DEFAULT.select_n)),
    ] = None,
    report_n: Annotated[
        int | None,
        typer.Option(
            help="Other problems, that report on the best.", show_default=up_to(_DEFAULT.report_n)
        ),
    ] = None,
    random_seeds: Annotated[
        int, typer.Option(help="Random vectors against the best.")
    ] = _DEFAULT.random_seeds,
    modes: Annotated[
        bool, typer.Option(help="Compare plain and cued prompts by layer.")
    ] = _DEFAULT.compare_modes,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 0,
    seed: Annotated[int, typer.Option(help="Of problems, samples and controls.")] = _DEFAULT.seed,
    extractor: FileExtractor = Extractor.EXACT,
    pattern: Pattern = "",
    run: RunId = "",
    model: Served = "",
    report_html: PageFile = None,
    report_json: ReportFile = None,
    report_csv: Annotated[Path | None, typer.Option(help="Write the table of cells here.")] = None,
    json: Json = False,
    target: Target = None,
) -> None:
    """Find where and how strongly arms act best, and measure the best where it was not chosen.

    It is a stored run: when you stop waiting it goes on with its server, and --run brings you back.
    Starts a server of its own unless --target names one.
    """
    from steer.cli.output import print_json

    check_asked(context, "--task", task, run)
    files = Files(report_html, report_json, report_csv)
    arms = Treatments(vector or (), arm or (), (), phase, relative, 0, recipe or ())
    with serving(target, model, task) as client:
        if task:
            handle = client.runs.sweep(
                task_of(task, extractor, pattern),
                arms=arms.recipes(client),
                layers=layer_numbers(layers),
                points=point or (),
                strengths=numbers(strengths, "--strengths"),
                select_n=_DEFAULT.select_n if n is None else n,
                report_n=_DEFAULT.report_n if report_n is None else report_n,
                random_seeds=random_seeds,
                compare_modes=modes,
                temperature=temperature,
                max_tokens=max_tokens,
                seed=seed,
                run_id=run,
            )
        else:
            handle = known(client, run)
        found = finished(handle, "sweep")
    files.write(found)
    print_json(found.report) if json else show(found)
