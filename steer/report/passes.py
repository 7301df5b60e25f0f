"""pass@k of the arms that claims are about, against guessing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steer.report.columns import percent
from steer.report.curves import Series, exact, plot
from steer.report.markup import Markup, join, tag

SHOWN = ("baseline", "steered", "ceiling")
"""Roles with a curve of their own."""


def passes(arms: Sequence[Mapping[str, Any]]) -> Markup:
    """A curve for each arm, and whose solved problems are inside whose; empty with one sample."""
    shown = [arm for arm in arms if arm["arm"]["role"] in SHOWN and len(arm["passes"]) > 1]
    if not shown:
        return Markup()
    drawn = plot("pass@k", "samples", [*map(_series, shown), *_chance(shown[0]["passes"])])
    words = (tag("li", _inside(arm)) for arm in shown if arm["coverage"])
    return join(tag("div", drawn, class_="pair"), tag("ul", *words, class_="notes"))


def _series(arm: Mapping[str, Any]) -> Series:
    about = arm["arm"]
    # Problems of one make have a rate and no interval.
    rates = [one if one["low"] is not None else exact(one["value"]) for one in arm["passes"]]
    points = [(float(one["k"]), rate) for one, rate in zip(arm["passes"], rates, strict=True)]
    return Series(about["name"], about["role"], points)


def _chance(curve: Sequence[Mapping[str, Any]]) -> Iterator[Series]:
    guesses = [(float(one["k"]), one["chance"]) for one in curve if one["chance"] is not None]
    if guesses:
        yield Series.plain("guessing", "chance", guesses)


def _inside(arm: Mapping[str, Any]) -> str:
    found, most = arm["coverage"], arm["passes"][-1]
    said = f"{arm['arm']['name']}: pass@{most['k']} {percent(most['value'])} %"
    if most["corrected"] is not None:
        said += f", {percent(most['corrected'])} % corrected for guessing"
    if found["inside"] is not None:
        said += (
            f"; of the problems it solves the baseline solves {percent(found['inside'])} % too, "
            f"where {percent(found['expected'])} % would be chance"
        )
    return said
