"""The command ``steer``.

Exit codes: 0 done; 1 any other error, and for ``health`` not serving; 2 bad input; 3 the server is
loading, draining or can not be reached. Each command imports what it needs when it runs.
"""

from importlib.metadata import version
from typing import Annotated

import typer

from steer.cli import (
    compare,
    critique,
    demo,
    evaluate,
    extract,
    health,
    inspect,
    model,
    recipes,
    run_report,
    runs,
    score,
    serve,
    sweep,
    train,
    vectors,
)
from steer.cli.errors import ReportingGroup

app = typer.Typer(
    cls=ReportingGroup,
    help="A model's output with and without activation steering, side by side.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("steer"))
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


app.command("serve")(serve.serve)
app.command("compare")(compare.compare)
app.command("score")(score.score)
app.command("model")(model.model)
app.command("health")(health.health)
app.command("demo")(demo.demo)
app.command("evaluate")(evaluate.evaluate)
app.command("critique")(critique.critique)
app.command("extract")(extract.extract)
app.command("train")(train.train)
app.command("sweep")(sweep.sweep)
app.command("inspect")(inspect.inspect)
app.command("report")(run_report.report)
app.add_typer(vectors.app, name="vectors")
app.add_typer(recipes.app, name="recipes")
app.add_typer(runs.app, name="runs")
