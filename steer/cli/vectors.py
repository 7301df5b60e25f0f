"""``steer vectors``."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from steer.cli.options import Json, Target
from steer.cli.output import print_json, print_table

app = typer.Typer(help="Stored vectors.", no_args_is_help=True)


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
        print_json([_without_card(asdict(one)) for one in found])
        return
    print_table(
        ("name", "model", "sites", "method", "description"),
        (
            (one.name, one.model, ", ".join(map(str, one.sites)), one.method, one.description)
            for one in found
        ),
    )


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of the vector.")],
    json: Json = False,
    target: Target = None,
) -> None:
    """Show one stored vector with its card."""
    from steer.client.client import Client

    with Client(target) as client:
        vector = client.vectors.get(name)
    if json:
        print_json(asdict(vector))
        return
    norms = [f"{site}: {norm:.4g}" for site, norm in zip(vector.sites, vector.norms, strict=True)]
    fields = {**_without_card(asdict(vector)), "norms": ", ".join(norms)}
    del fields["sites"]
    print_table(("field", "value"), fields.items())
    print_table(("card", ""), vector.card.items())


def _without_card(vector: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in vector.items() if key != "card"}
