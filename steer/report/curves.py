"""What changes along one number: the strength of the vector, the part of the trace that is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from steer.report.markup import Markup, join
from steer.report.svg import LABEL, Scale, band, curve, dot, figure, line, text

WIDTH, HEIGHT, LEFT, BOTTOM = 420.0, 230.0, 44.0, 40.0


@dataclass(frozen=True, slots=True)
class Series:
    """A line of rates: (x, rate with ``value``, ``low`` and ``high``), in the order of x."""

    name: str
    class_: str
    points: Sequence[tuple[float, dict[str, Any]]]


def plot(title: str, axis: str, series: Sequence[Series]) -> Markup:
    """Rates from 0 to 100 % over x, with intervals."""
    xs = sorted({x for one in series for x, _ in one.points})
    across = Scale(xs[0], xs[-1], LEFT + 12, WIDTH - 16)
    up = Scale(0.0, 1.0, HEIGHT - BOTTOM, 24.0)
    return figure(
        WIDTH,
        HEIGHT,
        title,
        _grid(across, up, xs),
        *(_drawn(one, across, up) for one in series),
        *_legend(series),
        text((LEFT + WIDTH) / 2, HEIGHT - 4, axis, "soft", "middle"),
    )


def _grid(across: Scale, up: Scale, xs: Sequence[float]) -> Markup:
    marks = [i / 4 for i in range(5)]
    return join(
        *(line(LEFT, up(mark), WIDTH, up(mark)) for mark in marks),
        *(text(LEFT - 6, up(mark) + 4, f"{mark:.0%}", "soft", "end") for mark in marks),
        *(text(across(x), up(0) + LABEL + 4, f"{x:g}", "soft", "middle") for x in xs),
    )


def _drawn(one: Series, across: Scale, up: Scale) -> Markup:
    xs = [across(x) for x, _ in one.points]
    rates = [rate for _, rate in one.points]
    middle = [(x, up(rate["value"])) for x, rate in zip(xs, rates, strict=True)]
    lows, highs = ([up(rate[end]) for rate in rates] for end in ("low", "high"))
    return join(
        band(xs, lows, highs, one.class_),
        curve(middle, one.class_),
        *(
            dot(x, y, one.class_, f"{one.name}: {rate['value']:.1%}")
            for (x, y), rate in zip(middle, rates, strict=True)
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
