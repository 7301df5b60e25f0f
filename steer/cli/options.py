"""Options that several commands share, and the arms they describe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from steer.errors import InvalidRequest

if TYPE_CHECKING:
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

    def recipes(self) -> "dict[str, Recipe]":
        """Recipes by the name of their arm. Raises InvalidRequest."""
        from steer.client.controls import random_like

        recipes: dict[str, Recipe] = {}
        for name, text in [("steered", v) for v in self.vectors] + [_named(a) for a in self.arms]:
            recipe = self._recipe(text)
            recipes[name] = recipes[name] + recipe if name in recipes else recipe
        if self.controls and not recipes:
            raise InvalidRequest("--random-control goes with --vector or --arm")
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


def prompt_of(prompt: str, chat: bool) -> "str | list[dict[str, str]]":
    """The prompt as the SDK takes it."""
    return [{"role": "user", "content": prompt}] if chat else prompt


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
