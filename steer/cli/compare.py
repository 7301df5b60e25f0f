"""``steer compare``."""

from typing import Annotated

import typer

from steer.cli.options import (
    Arms,
    Branches,
    Chat,
    Controls,
    Extractors,
    Json,
    Layers,
    Pattern,
    Recipes,
    Relative,
    Target,
    Temperature,
    Treatments,
    Vectors,
    When,
    branching_of,
    prompt_of,
)
from steer.cli.output import print_json, print_rich
from steer.errors import InvalidRequest


def compare(
    prompt: Annotated[str, typer.Argument(help="The prompt.")],
    vector: Vectors = None,
    recipe: Recipes = None,
    arm: Arms = None,
    layer: Layers = None,
    phase: When = None,
    relative: Relative = False,
    random_control: Controls = 0,
    chat: Chat = False,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of each row.")] = 128,
    temperature: Temperature = 0.0,
    seed: Annotated[int, typer.Option(help="The same for every arm.")] = 0,
    samples: Annotated[int, typer.Option(help="Rows of each arm.")] = 1,
    branches: Branches = 0,
    extractor: Extractors = None,
    pattern: Pattern = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """Generate with and without, side by side, with receipts and divergence."""
    from steer.client.client import Client

    arms = Treatments(
        vector or (), arm or (), layer or (), phase, relative, random_control, recipe or ()
    )
    branching = branching_of(branches, extractor, pattern)
    if branching is None and (extractor or pattern):
        raise InvalidRequest("--extractor and --pattern go with --branches")
    with Client(target) as client:
        result = client.compare(
            prompt_of(prompt, chat),
            arms=arms.recipes(client),
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            samples=samples,
            branches=branching,
        )
    print_json(result.to_dict()) if json else print_rich(result)
