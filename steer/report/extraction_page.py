"""The page of an extraction: what was stored, and how reliable it is at each site."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steer.report.columns import Column, rows_of
from steer.report.curves import Height, Series, plot
from steer.report.frame import about, notes, page, section, table
from steer.report.markup import Markup, tag

Found = Mapping[str, Any]


def _digits(value: float) -> str:
    return f"{value:.3g}"


SITES = (
    Column("site", "point and decoder block", ("site",)),
    Column("norm", "length of the direction, ‖v‖", ("norm",), _digits),
    Column("‖h‖", "mean length of the activations it acts on", ("residual_norm",), _digits),
    Column("halves", "cosine of directions of two halves", ("split_half_cosine",), _digits),
    Column(
        "steerability",
        "how far texts lie to their class; 1: as its mean",
        ("steerability",),
        _digits,
    ),
    Column("against", "share of texts that point the other way", ("anti_steerable",), _digits),
    Column("separation", "of the classes, in standard deviations", ("separation",), _digits),
    Column("explained", "variance along the direction", ("explained_variance",), _digits),
)
"""Of a row of its table, on the page and on the terminal."""
_ALIKE = {"split_half_cosine": "halves agree", "explained_variance": "explained"}
_APART = {"separation": "separation"}
_CLASSES = ("steered", "ceiling")


def extraction_page(report: Found, run: str = "") -> str:
    """``run``: the id of the run it is of. Before a vector is stored it says what was read."""
    read = f"{report['texts']} texts"
    if "address" not in report:
        return page("extraction", about((run and f"run {run}", read)), tag("p", "No numbers yet."))
    model = report["card"]["model"]
    told = (run and f"run {run}", read, f"{model['id']} ({model['fingerprint']})")
    title = f"{report['name']} · {report['method']}"
    return page(title, about(told), about((report["address"],)), *_body(report))


def _body(report: Found) -> Iterator[Markup]:
    yield tag("p", report["card"]["description"])
    yield from section("Every site", table(SITES, rows_of(report)))
    yield from section("How reliable it is, by layer", _curves(report, _ALIKE))
    yield from section("How far apart the classes lie, by layer", _curves(report, _APART))
    if tried := report.get("steers"):
        yield from section("What adding it does", tag("p", steers(tried)))
    yield from section("Notes", notes(report["warnings"]))


def _curves(report: Found, names: Mapping[str, str]) -> Markup:
    """A plot for each point that has more than one layer."""
    points: dict[str, list[tuple[int, Found]]] = {}
    for row in rows_of(report):
        point, _, layer = row["site"].partition(".")
        points.setdefault(point, []).append((int(layer), row))
    by_layer = {point: sorted(rows, key=lambda row: row[0]) for point, rows in points.items()}
    plots = [_curve(point, rows, names) for point, rows in by_layer.items()]
    return tag("div", *plots, class_="pair") if any(plots) else Markup()


def _curve(point: str, rows: Sequence[tuple[int, Found]], names: Mapping[str, str]) -> Markup:
    lines = [
        Series.plain(words, class_, [(layer, row[name]) for layer, row in rows if name in row])
        for (name, words), class_ in zip(names.items(), _CLASSES, strict=False)
    ]
    lines = [one for one in lines if len(one.points) > 1]
    return plot(point, f"layer · {point}", lines, Height.over(lines)) if lines else Markup()


def steers(tried: Found) -> str:
    """What adding the vector does to pairs of texts, in words."""
    return (
        f"steers {tried['n']} pairs at {tried['site']} by {tried['steerability']:+.3g} nats per "
        f"unit of strength, {tried['anti_steerable']:.0%} of them the other way"
    )
