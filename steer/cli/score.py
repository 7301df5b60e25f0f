"""``steer score``."""

from typing import Annotated

import typer

from steer.cli.options import (
    Arms,
    Chat,
    Controls,
    Json,
    Layers,
    Recipes,
    Relative,
    Target,
    Treatments,
    Vectors,
    When,
    prompt_of,
)
from steer.cli.output import print_json, print_table


def score(
    prompt: Annotated[str, typer.Argument(help="The prompt.")],
    continuation: Annotated[str, typer.Argument(help="What is scored after it.")],
    vector: Vectors = None,
    recipe: Recipes = None,
    arm: Arms = None,
    layer: Layers = None,
    phase: When = None,
    relative: Relative = False,
    random_control: Controls = 0,
    chat: Chat = False,
    json: Json = False,
    target: Target = None,
) -> None:
    """Log-probability (nats) of a given continuation, with and without."""
    from steer.client.client import Client

    arms = Treatments(
        vector or (), arm or (), layer or (), phase, relative, random_control, recipe or ()
    )
    with Client(target) as client:
        result = client.score(prompt_of(prompt, chat), continuation, arms=arms.recipes(client))
    if json:
        print_json(result.to_dict())
        return
    totals = {name: one.total for name, one in result.arms.items()}
    print_table(
        ("arm", "log-probability", "against baseline"),
        ((name, f"{t:.3f}", f"{t - result.baseline.total:+.3f}") for name, t in totals.items()),
    )
