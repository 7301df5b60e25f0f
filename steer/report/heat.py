"""Texts side by side, each token the redder the farther it went from the unsteered model."""

from collections.abc import Mapping
from typing import Any

from steer.report.markup import Markup, join, tag

HOTTEST = 3.0
"""KL in nats at which the colour is full."""


def examples(report: Mapping[str, Any]) -> Markup:
    """The first problems under the baseline and the steered arms."""
    return join(*map(_example, report["examples"]))


def _example(example: Mapping[str, Any]) -> Markup:
    arms = example["arms"].items()
    return tag(
        "section",
        tag("p", example["prompt"], tag("b", f" ⟶ {example['answer']}"), class_="asked"),
        *(_text(name, said) for name, said in arms),
        class_="example",
    )


def _text(name: str, said: Mapping[str, Any]) -> Markup:
    mark = tag("i", "✓" if said["correct"] else "✗", class_="good" if said["correct"] else "bad")
    kls = said["kl"] or [None] * len(said["pieces"])
    tokens = (_token(piece, kl) for piece, kl in zip(said["pieces"], kls, strict=True))
    return tag("p", tag("b", name), mark, tag("span", *tokens, class_="tokens"), class_="said")


def _token(piece: str, kl: float | None) -> Markup:
    if kl is None:
        return tag("span", piece)
    share = min(1.0, max(0.0, kl) / HOTTEST)
    return tag("span", piece, style=f"--heat:{100 * share:.0f}%", title=f"KL {kl:.2f} nats")
