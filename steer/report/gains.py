"""Information gain of each arm's traces, as bars."""

from collections.abc import Mapping, Sequence
from typing import Any

from steer.report.markup import Markup, join, tag
from steer.report.svg import Scale, dot, figure, line, text

WIDTH, LEFT, RIGHT, LINE = 700.0, 150.0, 190.0, 24.0


def gains(arms: Sequence[Mapping[str, Any]]) -> Markup:
    """Bits per answer: the mean over traces as a bar, the best trace as a dot; empty without."""
    if not arms:
        return Markup()
    values = [arm[kind]["bits_per_answer"]["value"] for arm in arms for kind in ("mean", "best")]
    scale = Scale(min(0.0, *values), max(0.1, *values), LEFT, WIDTH - RIGHT)
    height = LINE * len(arms)
    return figure(
        WIDTH,
        height + 4,
        "Information gain in bits per answer",
        line(scale(0), 0, scale(0), height, "level"),
        *(_bar(arm, LINE * i, scale) for i, arm in enumerate(arms)),
    )


def _bar(arm: Mapping[str, Any], y: float, scale: Scale) -> Markup:
    mean, best = (arm[kind]["bits_per_answer"]["value"] for kind in ("mean", "best"))
    nats = arm["mean"]["nats_per_token"]["value"]
    left, right = sorted((scale(0), scale(mean)))
    return join(
        text(LEFT - 12, y + LINE / 2 + 4, arm["arm"], "label", "end"),
        tag("rect", x=left, y=y + 5, width=right - left, height=LINE - 10, class_="bar"),
        dot(scale(best), y + LINE / 2, "steered", f"best of {arm['traces']}: {best:.2f} bits"),
        text(WIDTH, y + LINE / 2 + 4, f"{mean:+.2f} bits · {nats:+.2f} nats", "label", "end"),
    )
