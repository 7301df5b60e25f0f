"""Information gain of each arm's traces, as bars."""

from collections.abc import Mapping, Sequence
from typing import Any

from steer.report.markup import Markup, join, tag
from steer.report.svg import Scale, dot, figure, interval, line, text

WIDTH, LEFT, RIGHT, LINE = 800.0, 130.0, 290.0, 24.0

SAYS = (
    "How much likelier traces make the right answer than the unsteered model without one: the "
    "mean over traces (bar), their mixture, and the best (dot), in bits per answer; the mean in "
    "nats per token."
)


def gains(arms: Sequence[Mapping[str, Any]]) -> Markup:
    """Bits per answer: the mean over traces as a bar with its interval, the best trace as a dot;
    empty without."""
    if not arms:
        return Markup()
    shown = [arm[kind]["bits_per_answer"] for arm in arms for kind in ("mean", "best")]
    values = [one[end] for one in shown for end in ("value", "low", "high") if one[end] is not None]
    scale = Scale(min(0.0, *values), max(0.1, *values), LEFT, WIDTH - RIGHT)
    height = LINE * len(arms)
    drawn = figure(
        WIDTH,
        height + 4,
        "Information gain in bits per answer",
        line(scale(0), 0, scale(0), height, "level"),
        *(_bar(arm, LINE * i, scale) for i, arm in enumerate(arms)),
    )
    return join(tag("p", SAYS, class_="meta"), drawn)


def _bar(arm: Mapping[str, Any], y: float, scale: Scale) -> Markup:
    mean, best = (arm[kind]["bits_per_answer"] for kind in ("mean", "best"))
    left, right = sorted((scale(0), scale(mean["value"])))
    middle = y + LINE / 2
    ends = () if mean["low"] is None else (scale(mean["low"]), scale(mean["high"]))
    return join(
        text(LEFT - 12, middle + 4, arm["arm"], "label", "end"),
        tag("rect", x=left, y=y + 5, width=right - left, height=LINE - 10, class_="bar"),
        interval(*ends, middle, "steered") if ends else Markup(),
        dot(scale(best["value"]), middle, "steered", f"best of {arm['traces']}"),
        text(WIDTH, middle + 4, _said(arm), "label", "end"),
    )


def _said(arm: Mapping[str, Any]) -> str:
    """The mean, of the traces' mixture, of the best one; and the mean in nats per token."""
    bits = (arm[kind]["bits_per_answer"]["value"] for kind in ("mean", "mixture", "best"))
    said = " … ".join(f"{value:+.2f}" for value in bits)
    return f"{said} bits · {arm['mean']['nats_per_token']['value']:+.2f} nats"
