"""``steer critique``."""

from typing import Annotated

import typer

from steer.cli.jobs import check_asked, finished, known, serving, task_of
from steer.cli.options import (
    Arms,
    Controls,
    FileExtractor,
    Json,
    Layers,
    MaxTokens,
    Pattern,
    Problems,
    Recipes,
    Relative,
    RunId,
    Served,
    Target,
    Temperature,
    Treatments,
    Vectors,
    When,
    up_to,
)
from steer.specs import EvaluateSpec, Extractor, Revision, Stage

_DEFAULT = EvaluateSpec("", ())


def critique(
    context: typer.Context,
    task: Problems = "",
    vector: Vectors = None,
    recipe: Recipes = None,
    arm: Arms = None,
    layer: Layers = None,
    phase: When = None,
    relative: Relative = False,
    random_control: Controls = 0,
    stage: Annotated[
        list[Stage] | None,
        typer.Option(help="Under the arm; repeatable. Default: the critique alone."),
    ] = None,
    critique_template: Annotated[
        str, typer.Option(help="Asks for the critique; {question} {answer}.")
    ] = "",
    revise_template: Annotated[
        str, typer.Option(help="Asks for the revised answer; {question} {answer} {critique}.")
    ] = "",
    critique_tokens: Annotated[
        int, typer.Option(help="Most tokens of a critique. 0 is as of an answer.")
    ] = 0,
    n: Annotated[
        int | None, typer.Option("--n", help="Problems.", show_default=up_to(_DEFAULT.n))
    ] = None,
    split: Annotated[str, typer.Option(help="Part of the task.")] = _DEFAULT.split,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 0,
    seed: Annotated[int, typer.Option(help="Of problems, samples and controls.")] = _DEFAULT.seed,
    show: Annotated[int, typer.Option(min=0, max=6, help="Problems whose texts are shown.")] = 1,
    extractor: FileExtractor = Extractor.EXACT,
    pattern: Pattern = "",
    run: RunId = "",
    model: Served = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """Answer every problem, criticise the answer, answer again: what that corrects and spoils.

    Without and with each arm. It is a stored evaluation: when you stop waiting it goes on with its
    server, and --run brings you back. Starts a server of its own unless --target names one.
    """
    from steer.cli.output import print_json
    from steer.cli.revision import print_revision
    from steer.critiquing import CritiqueTemplates

    check_asked(context, "--task", task, run)
    arms = Treatments(
        vector or (), arm or (), layer or (), phase, relative, random_control, recipe or ()
    )
    templates = CritiqueTemplates(critique_template, revise_template)
    revision = Revision(tuple(stage or (Stage.CRITIQUE,)), templates, critique_tokens)
    with serving(target, model, task) as client:
        if task:
            handle = client.runs.evaluate(
                task_of(task, extractor, pattern),
                run_id=run,
                arms=arms.recipes(client),
                revision=revision,
                n=_DEFAULT.n if n is None else n,
                split=split,
                temperature=temperature,
                max_tokens=max_tokens,
                seed=seed,
            )
        else:
            handle = known(client, run)
        found = finished(handle, "critique")
    print_json(found.report) if json else print_revision(found.report, show)
