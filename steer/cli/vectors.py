"""``steer vectors``."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from steer.cli import vector_files
from steer.cli.options import Json, Target
from steer.cli.output import path_errors, print_json, print_table
from steer.types import Removed, VectorInfo, listed

app = typer.Typer(help="Stored vectors and dictionaries.", no_args_is_help=True)
app.command("import")(vector_files.import_)
app.command("export")(vector_files.export)

Address = Annotated[str, typer.Argument(help="NAME, NAME@2 or NAME@sha256:…")]
_HAVE_DIRECTIONS = ("direction", "probe")


@app.command("list")
def list_vectors(
    model: Annotated[str, typer.Option(help="Only those made for this model id.")] = "",
    kind: Annotated[str, typer.Option(help="Only those of this kind.")] = "",
    method: Annotated[str, typer.Option(help="Only those made by this method.")] = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """List stored vectors."""
    from steer.client.client import Client

    with Client(target) as client:
        found = list(client.vectors.list(model=model, kind=kind, method=method))
    if json:
        print_json([_in_list(one) for one in found])
        return
    print_table(
        ("name", "version", "kind", "model", "sites", "method", "description"),
        (
            (
                one.name,
                "shipped" if one.bundled else one.version,
                one.kind,
                one.model,
                listed(one.sites),
                one.method,
                one.description,
            )
            for one in found
        ),
    )


@app.command("show")
def show(
    name: Address,
    nearest: Annotated[
        int, typer.Option(min=0, max=100, help="How many of the nearest stored vectors to name.")
    ] = 5,
    tokens: Annotated[
        int, typer.Option(min=0, max=100, help="How many tokens at each end of the logit lens.")
    ] = 8,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with the plot to this file instead.")
    ] = None,
    json: Json = False,
    target: Target = None,
) -> None:
    """Show one stored vector: its card, its norms by layer, what is near, what tokens it raises.

    Tokens are those of the served model, for directions and probes that were made for it.
    """
    from steer.cli.vector_page import page
    from steer.cli.vector_text import print_vector
    from steer.client.client import Client

    with Client(target) as client:
        vector = client.vectors.get(name)
        if vector.kind in _HAVE_DIRECTIONS:
            lens = tokens if tokens and client.model().fingerprint == vector.fingerprint else 0
            vector = client.vectors.get(vector.address, nearest=nearest, tokens=lens)
        versions = client.vectors.versions(vector.name)
    if html:
        with path_errors(html):
            html.write_text(page(vector), "utf-8")
    if json:
        print_json(asdict(vector) | {"versions": [one.version for one in versions]})
    elif html:
        print(html)
    else:
        print_vector(vector, versions)


@app.command("combine")
def combine(
    name: Annotated[str, typer.Argument(help="Name to store it under.")],
    expression: Annotated[
        str,
        typer.Argument(
            help="Such as 'think - 0.5*hedge', 'mean(a, b)', 'orthogonal_to(a, b)'; "
            "- and / behind a name need a space before them."
        ),
    ],
    description: Annotated[str, typer.Option(help="What it is. Default: the expression.")] = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """Store what an expression of stored vectors comes to."""
    from steer.client.client import Client

    with Client(target) as client:
        vector = client.vectors.combine(name, expression, description=description)
    if json:
        print_json(asdict(vector))
        return
    vector_files.print_stored(vector)


@app.command("rm")
def remove(
    names: Annotated[
        list[str], typer.Argument(help="Addresses; a name alone means all its versions.")
    ],
    json: Json = False,
    target: Target = None,
) -> None:
    """Delete versions. What stored runs refer to is kept, and found by its hash alone."""
    from steer.client.client import Client

    done: list[Removed] = []
    try:
        with Client(target) as client:
            done.extend(map(client.vectors.delete, names))
    finally:
        # What is gone is said, also when the next can not be deleted.
        _print_removed(done, json)


@app.command("verify")
def verify(json: Json = False, target: Target = None) -> None:
    """Read everything that is stored, and list what is damaged; then the exit code is 1."""
    from steer.client.client import Client

    with Client(target) as client:
        report = client.vectors.verify()
    if json:
        print_json(asdict(report))
    else:
        print(f"{report.versions} versions read, {len(report.damage)} damaged")
        if report.damage:
            rows = ((one.where, one.problem) for one in report.damage)
            print_table(("where", "problem"), rows)
        for path in report.leftovers:
            print(f"left over by an interrupted write: {path}")
    if report.damage:
        raise typer.Exit(1)


def _print_removed(done: Sequence[Removed], json: bool) -> None:
    if json:
        print_json([asdict(one) for one in done])
        return
    for one in done:
        for version in one.removed:
            print(f"deleted {version}")
        for address, by in one.kept.items():
            print(f"kept as {address}, for {', '.join(by)}")


def _in_list(vector: VectorInfo) -> dict[str, Any]:
    left_out = ("card", "statistics")
    return {key: value for key, value in asdict(vector).items() if key not in left_out}
