"""Dose and response, and what the answers of a steered arm owe to its traces."""

from collections.abc import Iterator, Mapping
from typing import Any

from steer.report.columns import Report, percent, points
from steer.report.curves import Series, plot
from steer.report.markup import Markup, join, tag


def effect(found: Mapping[str, Any], report: Report) -> Markup:
    """Of one steered arm; empty where there are neither doses nor other traces."""
    plots = [*_doses(found), *_kept(found, report)]
    words = [tag("li", said) for said in _causal(found["causal"])]
    return join(
        tag("div", *plots, class_="pair") if plots else Markup(),
        tag("ul", *words, class_="notes") if words else Markup(),
    )


def _doses(found: Mapping[str, Any]) -> Iterator[Markup]:
    doses = found["doses"]
    if len(doses) > 1:
        right = [(dose["strength"], dose["accuracy"]) for dose in doses]
        begun = [(dose["strength"], dose["begun"]) for dose in doses if dose["begun"]]
        series = [Series("right", "steered", right)]
        series += [Series("traces begun", "truncated", begun)] if begun else []
        yield plot("Dose and response", "strength", series)


def _kept(found: Mapping[str, Any], report: Report) -> Iterator[Markup]:
    kept = found["causal"]["kept"]
    if kept:
        whole = next(a for a in report["summary"]["arms"] if a["arm"]["name"] == found["arm"])
        right = [(one["fraction"], one["accuracy"]) for one in kept]
        series = [Series("right", "truncated", [*right, (1.0, whole["accuracy"])])]
        yield plot("The trace cut short", "part of the trace kept", series)


def _causal(causal: Mapping[str, Any]) -> Iterator[str]:
    for one in causal["forced"]:
        lost = one["against_own"]
        said = (
            f"{one['arm']}: {points(lost['value'])} [{points(lost['low'])}, "
            f"{points(lost['high'])}] points to its own trace"
        )
        if one["follows"]:
            said += f"; the answer follows the trace it was given in {_rate(one['follows'])}"
        yield said
    area = causal["area"]
    if area:
        yield (
            f"area over the curve of answers that stay when the trace is cut short: {_rate(area)}; "
            "0 % would be an answer that was settled before the trace"
        )


def _rate(rate: Mapping[str, Any]) -> str:
    said = f"{percent(rate['value'])} %"
    if rate["low"] is None:
        return said
    return f"{said} [{percent(rate['low'])}, {percent(rate['high'])}]"
