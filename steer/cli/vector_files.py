"""``steer vectors import`` and ``export``: files of other programs."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from steer.cli.options import Json, Target
from steer.cli.output import path_errors, print_json
from steer.errors import InvalidRequest
from steer.types import Point, VectorInfo, listed

if TYPE_CHECKING:
    from steer.client.imports import ImportOptions

OWN = "steer"
_BY_SUFFIX = {".gguf": "gguf", ".safetensors": "safetensors"}


def import_(
    source: Annotated[Path, typer.Argument(help="File or folder of another program, or our own.")],
    name: Annotated[str, typer.Option("--as", help="Name to store it under.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before storing.")] = False,
    format: Annotated[str, typer.Option(help="Format. Default: detected.")] = "",
    model: Annotated[
        str, typer.Option(help="Id of the model it is for. Default: the served one.")
    ] = "",
    layer: Annotated[
        int | None, typer.Option(min=0, help="Decoder block, for files that do not say.")
    ] = None,
    point: Annotated[Point | None, typer.Option(help="Point, for files that do not say.")] = None,
    index_offset: Annotated[
        int | None, typer.Option(help="Decoder block = the file's index + this.")
    ] = None,
    choice: Annotated[str, typer.Option(help="Which of several things in the files.")] = "",
    kind: Annotated[str, typer.Option(help="As what to read it: direction or probe.")] = "",
    strength: Annotated[float | None, typer.Option(help="Default strength, raw.")] = None,
    scale: Annotated[
        float | None, typer.Option(help="What activations were multiplied by before an SAE.")
    ] = None,
    k: Annotated[int | None, typer.Option(min=1, help="Active latents of a top-k SAE.")] = None,
    description: Annotated[str, typer.Option(help="What it is, in a sentence.")] = "",
    licence: Annotated[str, typer.Option(help="Licence. Default: unknown.")] = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """Say what is in files of another program, then store it as a vector or dictionary."""
    from steer.client.client import Client

    if not name and not dry_run:
        raise InvalidRequest("give a name to store it under (--as NAME), or --dry-run")
    said: dict[str, Any] = {
        "format": format,
        "model": model,
        "layer": layer,
        "point": point,
        "index_offset": index_offset,
        "choice": choice,
        "kind": kind,
        "strength": strength,
        "scale": scale,
        "k": k,
        "description": description,
        "licence": licence,
    }
    options = cast("ImportOptions", {key: value for key, value in said.items() if value != ""})
    looking: ImportOptions = {**options, "dry_run": True}
    with Client(target) as client, path_errors(source):
        understood = client.vectors.import_(source, name, **looking)
        if not json:
            print(understood)
        stored = None
        if not dry_run:
            _ask(name, yes or json)
            stored = client.vectors.import_(source, name, **options).vector
    if json:
        vector = None if stored is None else asdict(stored)
        print_json({"account": asdict(understood.account), "vector": vector})
    elif stored is not None:
        print_stored(stored)


def print_stored(vector: VectorInfo) -> None:
    """What was stored, and how to name it."""
    print(f"stored {vector.name}@{vector.version} ({vector.kind} at {listed(vector.sites)})")
    print(vector.address)


def _ask(name: str, sure: bool) -> None:
    """Let whoever sits there say no."""
    if not sure and _sits_there():
        typer.confirm(f"Store it as {name}?", abort=True)


def _sits_there() -> bool:
    return sys.stdin.isatty()


def export(
    name: Annotated[str, typer.Argument(help="NAME, NAME@2 or NAME@sha256:…")],
    path: Annotated[Path, typer.Argument(help="New file or folder.")],
    format: Annotated[
        str,
        typer.Option(
            help="gguf, safetensors, saelens (folder), or steer: a folder with card.json. "
            "Default: by the ending of PATH, else steer."
        ),
    ] = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """Write a stored vector to files."""
    from steer.client.client import Client
    from steer.client.parcels import CARD, TENSORS
    from steer.client.vector_calls import Exported

    chosen = format or _BY_SUFFIX.get(path.suffix, OWN)
    with Client(target) as client, path_errors(path):
        if chosen == OWN:
            client.vectors.download(name, path)
            exported = Exported((path / CARD, path / TENSORS), ())
        else:
            exported = client.vectors.export(name, chosen, path)
    if json:
        print_json({"paths": list(map(str, exported.paths)), "notes": exported.notes})
        return
    for one in exported.paths:
        print(one)
    for note in exported.notes:
        print(f"not in it: {note}", file=sys.stderr)
