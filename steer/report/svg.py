"""Parts of figures. Coordinates are those of the view box; colours are classes of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from steer.report.markup import Markup, join, tag

LABEL = 12.0
"""Height of a line of text."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From values ``low`` to ``high`` to places ``begin`` to ``end``."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value; values outside go to the nearer end."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.begin + min(1.0, max(0.0, share)) * (self.end - self.begin)


def figure(width: float, height: float, title: str, *parts: str) -> Markup:
    """A drawing that is as wide as the page at most; ``title`` is what a screen reader says."""
    return tag(
        "svg",
        tag("title", title),
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        style=f"max-width:{width:g}px",
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str = "rule") -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: float, y: float, words: str, class_: str = "", anchor: str = "start") -> Markup:
    """A line of text; ``anchor``: start, middle or end."""
    return tag("text", words, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def dot(x: float, y: float, class_: str, title: str = "", r: float = 3.5) -> Markup:
    """A point, with words for whoever points at it."""
    return tag("circle", tag("title", title) if title else "", cx=x, cy=y, r=r, class_=class_)


def interval(low: float, high: float, y: float, class_: str) -> Markup:
    """A horizontal interval."""
    return line(low, y, high, y, f"interval {class_}")


def curve(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line through points."""
    return tag("polyline", points=_listed(points), class_=f"curve {class_}")


def band(xs: Sequence[float], lows: Sequence[float], highs: Sequence[float], class_: str) -> Markup:
    """The area between two lines."""
    upper = list(zip(xs, highs, strict=True))
    lower = list(zip(xs, lows, strict=True))[::-1]
    return tag("polygon", points=_listed([*upper, *lower]), class_=f"band {class_}")


def percents(scale: Scale, top: float, bottom: float) -> Markup:
    """Vertical lines at 0, 25, … 100 % and their labels below."""
    marks = [i / 4 for i in range(5)]
    lines = (line(scale(mark), top, scale(mark), bottom) for mark in marks)
    words = (text(scale(m), bottom + LABEL + 2, f"{m:.0%}", "soft", "middle") for m in marks)
    return join(*lines, *words)


def _listed(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
