"""``steer health``: a container's health check."""

from typing import Annotated

import typer

from steer.cli.options import Target


def health(
    target: Target = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer.")] = 5.0,
) -> None:
    """Exit with 0 when the server serves, else with 1."""
    from steer.client.client import Client
    from steer.errors import SteerError

    with Client(target) as client:
        try:
            serving, why = client.health(timeout=timeout), "not serving"
        except SteerError as error:
            serving, why = False, f"no answer: {error}"
    typer.echo("serving" if serving else why, err=not serving)
    raise typer.Exit(0 if serving else 1)
