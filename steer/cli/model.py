"""``steer model``."""

from dataclasses import asdict

from steer.cli.options import Json, Target
from steer.cli.output import print_json, print_table


def model(json: Json = False, target: Target = None) -> None:
    """Show what is served."""
    from steer.client.client import Client

    with Client(target) as client:
        info = asdict(client.model())
    if json:
        print_json(info)
        return
    rows = ((key, _cell(value)) for key, value in info.items() if value not in ("", ()))
    print_table(("field", "value"), rows)


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
