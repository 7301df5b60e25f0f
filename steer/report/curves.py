"""What changes along one number: the strength of the vector, the layer, the step of a training."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steer.report.markup import Markup, join
from steer.report.svg import LABEL, Scale, band, curve, dot, figure, line, text

WIDTH, HEIGHT, LEFT, BOTTOM = 420.0, 230.0, 44.0, 40.0
MOST_LABELS = 12
DOT, MANY = 3.5, 40
"""Radius of a dot in pixels; of more of them than so many, half."""


@dataclass(frozen=True, slots=True)
class Series:
    """A line of numbers: (x, number with ``value``, ``low`` and ``high``), in the order of x."""

    name: str
    class_: str
    points: Sequence[tuple[float, Mapping[str, Any]]]

    @classmethod
    def plain(cls, name: str, class_: str, points: Iterable[tuple[float, float]]) -> "Series":
        """Numbers without intervals."""
        return cls(name, class_, [(x, exact(value)) for x, value in points])


def exact(value: float) -> dict[str, float]:
    """A number of a series that has no interval."""
    return dict.fromkeys(("value", "low", "high"), value)


@dataclass(frozen=True, slots=True)
class Height:
    """What the vertical axis shows: from ``low`` to ``high``, written by ``write``."""

    low: float
    high: float
    write: Callable[[float], str]

    @classmethod
    def over(cls, series: Sequence[Series]) -> "Height":
        """From 0, or the least number below it, to the largest number."""
        values = [0.0, *(number["value"] for one in series for _, number in one.points)]
        return cls(min(values), max(values), "{:.2g}".format)


RATES = Height(0.0, 1.0, "{:.0%}".format)


def plot(title: str, axis: str, series: Sequence[Series], height: Height = RATES) -> Markup:
    """Numbers over x, with intervals; unless told, rates from 0 to 100 %."""
    xs = sorted({x for one in series for x, _ in one.points})
    across = Scale(xs[0], xs[-1], LEFT + 12, WIDTH - 16)
    up = Scale(height.low, height.high, HEIGHT - BOTTOM, 24.0)
    return figure(
        WIDTH,
        HEIGHT,
        title,
        _grid(across, up, xs, height.write),
        *(_drawn(one, across, up, height.write) for one in series),
        *_legend(series),
        text((LEFT + WIDTH) / 2, HEIGHT - 4, axis, "soft", "middle"),
    )


def _grid(across: Scale, up: Scale, xs: Sequence[float], write: Callable[[float], str]) -> Markup:
    marks = [up.low + (up.high - up.low) * i / 4 for i in range(5)]
    labelled = xs[:: 1 + (len(xs) - 1) // MOST_LABELS]
    return join(
        *(line(LEFT, up(mark), WIDTH, up(mark)) for mark in marks),
        *(text(LEFT - 6, up(mark) + 4, write(mark), "soft", "end") for mark in marks),
        *(text(across(x), up(up.low) + LABEL + 4, f"{x:g}", "soft", "middle") for x in labelled),
    )


def _drawn(one: Series, across: Scale, up: Scale, write: Callable[[float], str]) -> Markup:
    xs = [across(x) for x, _ in one.points]
    numbers = [number for _, number in one.points]
    middle = [(x, up(number["value"])) for x, number in zip(xs, numbers, strict=True)]
    lows, highs = ([up(number[end]) for number in numbers] for end in ("low", "high"))
    r = DOT if len(xs) <= MANY else DOT / 2
    return join(
        band(xs, lows, highs, one.class_),
        curve(middle, one.class_),
        *(
            dot(x, y, one.class_, f"{one.name}, {at:g}: {write(number['value'])}", r)
            for (x, y), (at, number) in zip(middle, one.points, strict=True)
        ),
    )


def _legend(series: Sequence[Series]) -> list[Markup]:
    apart = min(130.0, (WIDTH - LEFT) / len(series))
    return [
        join(
            dot(LEFT + 8 + apart * i, 10, one.class_),
            text(LEFT + 16 + apart * i, 14, one.name, "label"),
        )
        for i, one in enumerate(series)
    ]
