"""A stored vector as one page of HTML that needs nothing else."""

import json
from collections.abc import Iterator, Sequence

from steer.report.markup import Markup, join, tag
from steer.report.style import STYLE
from steer.report.svg import LABEL, Scale, figure, line, text
from steer.types import LensToken, Point, SiteStatistics, VectorInfo

LEFT, BAR, HEIGHT, TOP = 56.0, 26.0, 180.0, 12.0


def page(vector: VectorInfo) -> str:
    """The page."""
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", vector.name),
        tag("style", Markup(STYLE)),
    )
    about = (vector.kind, vector.model, vector.method, vector.digest)
    body = tag(
        "body",
        tag("h1", f"{vector.name}@{vector.version}"),
        tag("p", " · ".join(about), class_="meta"),
        tag("p", vector.description),
        *_plots(vector),
        tag("h2", "Sites"),
        _table(vector.statistics),
        tag("h2", "Card"),
        tag("pre", json.dumps(vector.card, indent=2, ensure_ascii=False), class_="tokens"),
    )
    return f"<!doctype html>\n{tag('html', tag('head', head), body, lang='en')}\n"


def _plots(vector: VectorInfo) -> Iterator[Markup]:
    """Norms by layer, a figure for each point."""
    for point in Point:
        at = [one for one in vector.statistics if one.site.point is point]
        if at:
            yield tag("h2", f"Norm by layer, {point.value}")
            yield _plot(at, f"Norm of {vector.name} by layer at {point.value}")


def _plot(statistics: Sequence[SiteStatistics], title: str) -> Markup:
    most = max(one.norm for one in statistics)
    last = max(one.site.layer for one in statistics)
    up = Scale(0.0, most, TOP + HEIGHT, TOP)
    width = LEFT + BAR * (last + 1) + 8
    return figure(
        max(width, 320.0),
        TOP + HEIGHT + LABEL + 10,
        title,
        *(line(LEFT, up(mark), width, up(mark)) for mark in (0.0, most / 2, most)),
        *(
            text(LEFT - 6, up(mark) + 4, f"{mark:.3g}", "soft", "end")
            for mark in (0.0, most / 2, most)
        ),
        *(_bar(one, up) for one in statistics),
        *(
            text(LEFT + BAR * (layer + 0.5), TOP + HEIGHT + LABEL + 4, str(layer), "soft", "middle")
            for layer in range(0, last + 1, 1 + last // 24)
        ),
    )


def _bar(one: SiteStatistics, up: Scale) -> Markup:
    share = "" if one.relative_norm is None else f", {one.relative_norm:.1%} of ‖h‖"
    return tag(
        "rect",
        tag("title", f"{one.site}: {one.norm:.4g}{share}"),
        x=LEFT + BAR * one.site.layer + 3,
        y=up(one.norm),
        width=BAR - 6,
        height=up(0.0) - up(one.norm),
        class_="bar",
    )


def _table(statistics: Sequence[SiteStatistics]) -> Markup:
    heads = ("site", "norm", "‖v‖/‖h‖", "nearest", "raises", "lowers")
    rows = (tag("tr", *(tag("td", cell) for cell in _cells(one))) for one in statistics)
    table = tag("table", tag("tr", *(tag("th", head) for head in heads)), *rows)
    return tag("div", table, class_="wide")


def _cells(one: SiteStatistics) -> tuple[str, ...]:
    return (
        str(one.site),
        f"{one.norm:.4g}",
        "" if one.relative_norm is None else f"{one.relative_norm:.1%}",
        ", ".join(f"{other.name} {other.cosine:+.2f}" for other in one.nearest),
        _words(one.top),
        _words(one.bottom),
    )


def _words(tokens: Sequence[LensToken]) -> str:
    return " ".join(repr(token.piece) for token in tokens)
