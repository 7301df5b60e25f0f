"""Where the arms acted: mean ‖Δ‖/‖h‖ by layer and point."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steer.report.markup import Markup, join, tag
from steer.report.svg import LABEL, figure, text

LEFT, CELL, LINE = 200.0, 40.0, 24.0


@dataclass(frozen=True, slots=True)
class _Row:
    """One arm at one point: change and positions by layer."""

    label: str
    cells: Mapping[int, Mapping[str, Any]]


def layers(report: Mapping[str, Any]) -> Markup:
    """A cell for each site of each arm; empty where no arm touched an activation."""
    rows = list(_rows(report["places"]))
    if not rows:
        return Markup()
    last = max(layer for row in rows for layer in row.cells)
    most = max(place["change"] for row in rows for place in row.cells.values()) or 1.0
    height = LINE * len(rows) + LABEL + 12
    return figure(
        LEFT + CELL * (last + 1) + 8,
        height,
        "Mean relative change of the activations by layer",
        *(_drawn(row, LINE * i, most) for i, row in enumerate(rows)),
        *(_center(layer, height - 4, str(layer), "soft") for layer in range(last + 1)),
    )


def _rows(places: Mapping[str, Mapping[str, Any]]) -> Iterator[_Row]:
    for arm, sites in places.items():
        points: dict[str, dict[int, Any]] = {}
        for site, place in sites.items():
            point, _, layer = site.partition(".")
            points.setdefault(point, {})[int(layer)] = place
        yield from (_Row(f"{arm} · {point}", cells) for point, cells in points.items())


def _drawn(row: _Row, y: float, most: float) -> Markup:
    cells: Sequence[Markup] = [
        tag(
            "rect",
            tag("title", f"{place['positions']} positions"),
            x=LEFT + CELL * layer + 2,
            y=y + 2,
            width=CELL - 4,
            height=LINE - 4,
            class_="cell",
            style=f"--heat:{100 * place['change'] / most:.0f}%",
        )
        for layer, place in row.cells.items()
    ]
    words = (
        _center(layer, y + LINE - 7, f"{place['change']:.2f}", "label")
        for layer, place in row.cells.items()
    )
    return join(text(LEFT - 8, y + LINE - 7, row.label, "label", "end"), *cells, *words)


def _center(layer: int, y: float, words: str, class_: str) -> Markup:
    return text(LEFT + CELL * (layer + 0.5), y, words, class_, "middle")
