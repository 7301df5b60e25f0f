"""``steer inspect``."""

from typing import Annotated

import typer

from steer.cli.jobs import serving
from steer.cli.options import Json, Layers, Relative, Served, Target, Treatments, When


def inspect(
    vector: Annotated[str, typer.Argument(help="NAME[:STRENGTH] of a stored vector.")],
    task: Annotated[str, typer.Option(help="A bundled task.")],
    layer: Layers = None,
    phase: When = None,
    relative: Relative = False,
    n: Annotated[int, typer.Option("--n", min=1, help="Problems.")] = 200,
    split: Annotated[str, typer.Option(help="Part of the task.")] = "report",
    seed: Annotated[int, typer.Option(help="Of the problems.")] = 0,
    model: Served = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """What a vector's gain is made of: its first token, and the positions at which it acts.

    The first token it brings about is forced without it, and it acts at its first positions only.
    What a vector says by itself (logit lens, vectors near it) is shown by steer vectors show.
    """
    from steer.cli.inspecting import inspect_vector, print_inspection
    from steer.cli.output import print_json
    from steer.tasks.catalog import load_task

    asked = load_task(task)
    items = asked.items(split, n, seed)
    with serving(target, model, task) as client:
        arms = Treatments((vector,), (), layer or (), phase, relative, 0).recipes(client)
        found = inspect_vector(client, arms["steered"], asked, items)
    print_json(found.to_dict()) if json else print_inspection(found)
