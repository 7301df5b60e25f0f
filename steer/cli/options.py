"""Options that several commands share, and the arms they describe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steer.errors import InvalidRequest
from steer.types import Branching, Extractor

if TYPE_CHECKING:
    from steer.client.client import Client
    from steer.client.recipe import Recipe

Target = Annotated[
    str | None,
    typer.Option(help="HOST:PORT or unix:PATH.", envvar="STEER_TARGET", show_default="local"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Vectors = Annotated[
    list[str] | None,
    typer.Option("--vector", help="NAME[:STRENGTH]; repeated ones make one arm, 'steered'."),
]
Arms = Annotated[
    list[str] | None,
    typer.Option("--arm", help="ARM=NAME[:STRENGTH]; each makes an arm of its own."),
]
Recipes = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe", help="NAME of a stored recipe, or FILE.json; added to the arm 'steered'."
    ),
]
Layers = Annotated[
    list[int] | None,
    typer.Option("--layer", help="0-based decoder block; repeatable. Default: the card's."),
]
When = Annotated[
    str | None,
    typer.Option(
        "--phase", help="prompt, generated, decode, first or all. Default: the card's, else all."
    ),
]
Relative = Annotated[
    bool, typer.Option("--relative", help="Strengths are fractions of the mean residual norm.")
]
Controls = Annotated[
    int,
    typer.Option(
        "--random-control", min=0, help="Arms with random directions of the first arm's norm."
    ),
]
Branches = Annotated[
    int,
    typer.Option(
        "--branches", help="Branch over so many first tokens (CoT-decoding); 0 does not branch."
    ),
]
Extractors = Annotated[
    Extractor | None,
    typer.Option("--extractor", help="Where the answer is, of a FILE and of branches."),
]
Pattern = Annotated[str, typer.Option("--pattern", help="Of the extractor regex.")]
FileExtractor = Annotated[
    Extractor, typer.Option("--extractor", help="Where the answer is, of a FILE.")
]
Problems = Annotated[
    str, typer.Option("--task", help="A bundled task, gym/GENERATOR, or FILE.jsonl.")
]
RunId = Annotated[str, typer.Option("--run", help="ID: of a new run, or of one to come back to.")]
Served = Annotated[
    str,
    typer.Option("--model", help="Without --target: what to serve. Default: the task's organism."),
]
Temperature = Annotated[float, typer.Option("--temperature", help="0 is greedy.")]
MaxTokens = Annotated[int, typer.Option("--max-tokens", help="0 is what the task needs.")]
PageFile = Annotated[Path | None, typer.Option("--report-html", help="Write a page of HTML here.")]
ReportFile = Annotated[Path | None, typer.Option("--report-json", help="Write the report here.")]
Chat = Annotated[bool, typer.Option("--chat", help="The prompt is a user's chat message.")]


@dataclass(frozen=True, slots=True)
class Treatments:
    """What the options say about arms."""

    vectors: Sequence[str]
    arms: Sequence[str]
    layers: Sequence[int]
    phase: str | None
    relative: bool
    controls: int
    stored: Sequence[str] = ()

    def recipes(self, client: "Client") -> "dict[str, Recipe]":
        """Recipes by the name of their arm; ``client`` gives stored ones. Raises InvalidRequest."""
        from steer.client.controls import random_like

        if not (self.vectors or self.arms) and (self.layers or self.phase or self.relative):
            raise InvalidRequest("--layer, --phase and --relative go with --vector or --arm")
        made = [("steered", self._recipe(text)) for text in self.vectors]
        made += [("steered", _stored(text, client)) for text in self.stored]
        made += [(name, self._recipe(text)) for name, text in map(_named, self.arms)]
        recipes: dict[str, Recipe] = {}
        for name, recipe in made:
            recipes[name] = recipes[name] + recipe if name in recipes else recipe
        if self.controls and not recipes:
            raise InvalidRequest("--random-control goes with --vector, --recipe or --arm")
        first = next(iter(recipes.values()), None)
        for seed in range(1, self.controls + 1 if first else 0):
            recipes[f"random-{seed}"] = random_like(first, seed=seed)
        return recipes

    def _recipe(self, text: str) -> "Recipe":
        from steer.client.options import Options
        from steer.client.recipes import add

        name, strength = _strength(text)
        options: Options = {"relative": self.relative, "layers": self.layers}
        if strength is not None:
            options["strength"] = strength
        if self.phase:
            options["where"] = self.phase
        return add(name, **options)


def up_to(most: int) -> str:
    """How the default of a count of problems is shown."""
    return f"what there is, up to {most}"


def branching_of(branches: int, extractor: Extractor | None, pattern: str) -> Branching | None:
    """The branching that the options say; None without one. Raises InvalidRequest."""
    if not branches:
        return None
    given = Branching(branches, pattern=pattern)
    return given if extractor is None else replace(given, extractor=extractor)


def prompt_of(prompt: str, chat: bool) -> "str | list[dict[str, str]]":
    """The prompt as the SDK takes it."""
    return [{"role": "user", "content": prompt}] if chat else prompt


def _stored(text: str, client: "Client") -> "Recipe":
    from steer.client.recipe import Recipe

    # No recipe has a name that ends like this.
    if not text.endswith(".json"):
        return client.recipes.get(text)
    try:
        return Recipe.load(text)
    except OSError as error:
        raise InvalidRequest(f"--recipe {text}: {error.strerror}") from None


def _named(text: str) -> tuple[str, str]:
    name, equals, vector = text.partition("=")
    if not (name and equals and vector):
        raise InvalidRequest(f"--arm is ARM=NAME[:STRENGTH], not {text!r}")
    return name, vector


def _strength(text: str) -> tuple[str, float | None]:
    name, colon, tail = text.rpartition(":")
    # The colon may also belong to a content hash, whose digits may look like a number.
    if not colon or name.endswith("@sha256"):
        return text, None
    try:
        return name, float(tail)
    except ValueError:
        return text, None
