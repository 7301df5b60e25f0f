"""``steer recipes``."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steer.cli.options import Json, Target
from steer.cli.output import print_json, print_table
from steer.types import (
    Expression,
    Inline,
    Intervention,
    Op,
    Operand,
    OrthogonalTo,
    RandomLike,
    Stored,
    WithinClass,
    listed,
)

if TYPE_CHECKING:
    from steer.client.recipe import Recipe

app = typer.Typer(help="Stored recipes.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the recipe.")]


@app.command("list")
def list_recipes(json: Json = False, target: Target = None) -> None:
    """List stored recipes."""
    from steer.client.client import Client

    with Client(target) as client:
        found = list(client.recipes.list())
    if json:
        print_json([jsonlib.loads(one.to_json()) for one in found])
        return
    print_table(
        ("name", "interventions", "description"),
        ((one.name, "; ".join(map(_words, one.interventions)), one.description) for one in found),
    )


@app.command("show")
def show(name: Name, json: Json = False, target: Target = None) -> None:
    """Show one stored recipe; with --json as ``put`` takes it."""
    from steer.client.client import Client

    with Client(target) as client:
        _print(client.recipes.get(name), json)


@app.command("put")
def put(
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="JSON, as Recipe.save and show --json write it."
        ),
    ],
    description: Annotated[
        str | None, typer.Option(help="What it is for. Default: the file's.")
    ] = None,
    json: Json = False,
    target: Target = None,
) -> None:
    """Store a recipe under a name, in the place of what was there."""
    from steer.client.client import Client
    from steer.client.recipe import Recipe

    recipe = Recipe.load(file)
    with Client(target) as client:
        _print(client.recipes.put(name, recipe, description=description), json)


@app.command("rm")
def remove(name: Name, target: Target = None) -> None:
    """Remove a stored recipe."""
    from steer.client.client import Client

    with Client(target) as client:
        client.recipes.delete(name)


def _print(recipe: "Recipe", json: bool) -> None:
    if json:
        print_json(jsonlib.loads(recipe.to_json()))
        return
    fields = ("name", "description", "content_hash")
    print_table(("field", "value"), ((field, getattr(recipe, field)) for field in fields))
    print_table(("", "intervention"), enumerate(map(_words, recipe.interventions)))


def _words(one: Intervention) -> str:
    """An intervention in short; ``show --json`` has all of it."""
    parts = [f"{one.op.name} {_subject(one.op)}"]
    if one.strength is not None:
        parts.append(f"× {one.strength.value:g} {one.strength.unit}")
    if one.sites:
        parts.append(f"at {listed(one.sites)}")
    if one.where is not None:
        parts.append(f"in {one.where.phase}")
    if one.gate is not None:
        parts.append("when its gate is open")
    return " ".join(parts)


def _subject(op: Op) -> str:
    operand = getattr(op, "operand", None)
    if operand is not None:
        return _operand(operand)
    names = ("dictionary", "vector", "capture_id", "source_arm")
    return next(str(getattr(op, name)) for name in names if getattr(op, name, ""))


def _operand(operand: Operand) -> str:
    match operand:
        case Stored(name) | Expression(name):
            return name
        case Inline(directions):
            return f"inline ({len(directions[0].data) // 4} numbers)"
        case WithinClass(of, seed, True):
            return f"Stratified({_operand(of)}, {seed})"
        case RandomLike(of, seed) | WithinClass(of, seed):
            return f"{type(operand).__name__}({_operand(of)}, {seed})"
        case OrthogonalTo(of, to):
            return f"{type(operand).__name__}({_operand(of)}, {_operand(to)})"
