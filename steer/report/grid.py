"""A cell for each layer, a line for each thing that is told by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steer.report.markup import Markup, join, tag
from steer.report.svg import LABEL, figure, text

LEFT, CELL, LINE = 200.0, 40.0, 24.0


@dataclass(frozen=True, slots=True)
class Cell:
    """``heat``: 0 to 1; ``words``: what stands in it; ``hint``: for whoever points at it."""

    heat: float
    words: str
    hint: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line; ``cells`` by layer."""

    label: str
    cells: Mapping[int, Cell]


def grid(title: str, rows: Sequence[Row]) -> Markup:
    """The figure; empty without rows."""
    if not rows:
        return Markup()
    last = max(layer for row in rows for layer in row.cells)
    height = LINE * len(rows) + LABEL + 12
    return figure(
        LEFT + CELL * (last + 1) + 8,
        height,
        title,
        *(_drawn(row, LINE * i) for i, row in enumerate(rows)),
        *(_center(layer, height - 4, str(layer), "soft") for layer in range(last + 1)),
    )


def _drawn(row: Row, y: float) -> Markup:
    boxes = (
        tag(
            "rect",
            tag("title", cell.hint),
            x=LEFT + CELL * layer + 2,
            y=y + 2,
            width=CELL - 4,
            height=LINE - 4,
            class_="cell",
            style=f"--heat:{100 * cell.heat:.0f}%",
        )
        for layer, cell in row.cells.items()
    )
    words = (_center(layer, y + LINE - 7, cell.words, "label") for layer, cell in row.cells.items())
    return join(text(LEFT - 8, y + LINE - 7, row.label, "label", "end"), *boxes, *words)


def _center(layer: int, y: float, words: str, class_: str) -> Markup:
    return text(LEFT + CELL * (layer + 0.5), y, words, class_, "middle")
