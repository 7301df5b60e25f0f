"""Where the arms acted: mean ‖Δ‖/‖h‖ by layer and point."""

from collections.abc import Iterator, Mapping
from typing import Any

from steer.report.grid import Cell, Row, grid
from steer.report.markup import Markup


def layers(report: Mapping[str, Any]) -> Markup:
    """A cell for each site of each arm; empty where no arm touched an activation."""
    places: Mapping[str, Mapping[str, Any]] = report["places"]
    most = max((one["change"] for sites in places.values() for one in sites.values()), default=0.0)
    rows = list(_rows(places, most or 1.0))
    return grid("Mean relative change of the activations by layer", rows)


def _rows(places: Mapping[str, Mapping[str, Any]], most: float) -> Iterator[Row]:
    for arm, sites in places.items():
        points: dict[str, dict[int, Cell]] = {}
        for site, place in sites.items():
            point, _, layer = site.partition(".")
            change, hint = place["change"], f"{place['positions']} positions"
            points.setdefault(point, {})[int(layer)] = Cell(change / most, f"{change:.2f}", hint)
        yield from (Row(f"{arm} · {point}", cells) for point, cells in points.items())
