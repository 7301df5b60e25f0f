"""What the terminal shows of an extraction: what was stored, and how reliable it is."""

from collections.abc import Mapping
from typing import Any

from steer.cli.output import print_table

_SHOWN = {
    "site": "site",
    "norm": "norm",
    "residual_norm": "‖h‖",
    "split_half_cosine": "halves",
    "steerability": "steerability",
    "anti_steerable": "against",
    "separation": "separation",
    "explained_variance": "explained",
}
"""Fields of a site's row and what heads them."""


def print_extraction(report: Mapping[str, Any]) -> None:
    """The stored vector and a line a site; before there is one, what was read."""
    if "address" not in report:
        print(f"{report['texts']} texts read")
        return
    print_table(_SHOWN.values(), (map(_cell, map(row.get, _SHOWN)) for row in report["table"]))
    if tried := report.get("steers"):
        slope, against = tried["steerability"], tried["anti_steerable"]
        print(
            f"steers {tried['n']} pairs at {tried['site']} by {slope:+.3g} nats per unit of "
            f"strength, {against:.0%} of them the other way"
        )
    print(f"{report['method']}, {report['texts']} texts: stored as {report['address']}")
    for warning in report["warnings"]:
        print(f"note: {warning}")


def _cell(value: object) -> str:
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
