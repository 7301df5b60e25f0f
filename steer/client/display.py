"""A comparison for the eye: plain text, terminal, notebook. The first divergence is marked."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby, takewhile
from typing import TYPE_CHECKING

from steer.client.results import ArmResult, Comparison, Row, Scores
from steer.types import BASELINE, Branch, Branches, Receipt, listed

if TYPE_CHECKING:
    from rich.table import Table

# Stands before the first word that differs from the baseline.
_MARK = "‖"
_MORE = 3


def as_text(comparison: Comparison) -> str:
    """Arms under each other, in plain text."""
    width = max(len(arm.name) for arm in comparison) if comparison.arms else 0
    lines = []
    for arm in comparison:
        same, new = _split(comparison, arm.samples[0])
        mark = _MARK if new and same is not None and arm.name != BASELINE else ""
        lines.append(f"{arm.name:<{width}}  {_one_line((same or '') + mark + new)}")
        lines += [f"{'':<{width}}  · {note}" for note in _notes(arm)]
    return "\n".join(lines)


def scores_as_text(scores: Scores) -> str:
    """Arms under each other: log-probability of the continuation, and against the baseline."""
    width = max(map(len, scores.arms), default=0)
    base = scores.arms.get(BASELINE)
    return "\n".join(
        f"{name:<{width}}  {arm.total:.3f} nats"
        + ("" if base is None or arm is base else f", {arm.total - base.total:+.3f}")
        for name, arm in scores.arms.items()
    )


def as_rich(comparison: Comparison) -> "Table":
    """Arms side by side."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_lines=True, expand=False)
    row = []
    for arm in comparison:
        same, new = _split(comparison, arm.samples[0])
        cell = Text.assemble((same or "", "dim"), (new, "bold" if same is not None else ""))
        for note in _notes(arm):
            cell.append(f"\n· {note}", "cyan")
        table.add_column(Text(arm.name), overflow="fold")
        row.append(cell)
    table.add_row(*row)
    return table


def as_html(comparison: Comparison) -> str:
    """Arms side by side, for notebooks. Everything generated is escaped."""
    heads, cells = "", ""
    for arm in comparison:
        same, new = _split(comparison, arm.samples[0])
        marked = f"<mark>{escape(new)}</mark>" if same is not None and new else escape(new)
        notes = "".join(f"<br><small>{escape(note)}</small>" for note in _notes(arm))
        heads += f"<th style='text-align:left'>{escape(arm.name)}</th>"
        cells += (
            "<td style='text-align:left;vertical-align:top;white-space:pre-wrap'>"
            f"{escape(same or '')}{marked}{notes}</td>"
        )
    return f"<table><tr>{heads}</tr><tr>{cells}</tr></table>"


def _split(comparison: Comparison, row: Row) -> tuple[str | None, str]:
    """The text up to the first word that differs from the baseline's, and the rest; None where
    there is nothing to compare with."""
    baseline = comparison.arms.get(BASELINE)
    if baseline is None or row.arm == BASELINE or row.sample >= len(baseline.samples):
        return None, row.text
    own, other = _words(row.text), _words(baseline.samples[row.sample].text)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(own, other, strict=False)))
    return "".join(own[:same]), "".join(own[same:])


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+", text)


def _notes(arm: ArmResult) -> Iterator[str]:
    measured = arm.measurement
    if measured is not None and arm.name != BASELINE:
        at = measured.first_divergence
        where = "equal to the baseline" if at is None else f"differs from token {at}"
        yield f"{where}, mean KL {measured.mean_kl:.3g} nats per token"
    yield from receipts(arm.receipts)
    if arm.branches is not None:
        yield from _branches(arm.branches)
    elif len(arm.samples) > 1:
        others = [repr(_one_line(row.text)) for row in arm.samples[1 : 1 + _MORE]]
        left = len(arm.samples) - 1 - len(others)
        yield f"more samples: {', '.join(others)}" + (f" and {left} more" if left else "")


def _branches(given: Branches) -> Iterator[str]:
    choices = given.choices
    known = sum(one.answer is not None for one in given.branches)
    yield f"{len(given.branches)} branches, {known} with an answer"
    if given.answers:
        best = given.answers[0]
        yield f"aggregated: {_one_line(best.answer)} ({best.confidence:.3g} from {len(best.ranks)})"
    rules = {
        "surest": choices.confidence,
        "likeliest": choices.logprob,
        "likeliest by length": choices.mean_logprob,
        "random": choices.random,
    }
    for rule, rank in rules.items():
        if rank is not None:
            yield f"{rule}: branch {rank}, {_said(given.branches[rank])}"


def _said(branch: Branch) -> str:
    if branch.answer is None or branch.confidence is None:
        return "no answer"
    return f"{_one_line(branch.answer)} ({branch.confidence:.3g})"


def receipts(given: Iterable[Receipt]) -> Iterator[str]:
    """What fired: a line for all sites of an intervention, or for each where latents are told."""
    for _, alike in groupby(
        given, key=lambda one: (one.intervention, one.tokens, one.gate, one.features)
    ):
        yield _receipt(list(alike))


def _receipt(alike: Sequence[Receipt]) -> str:
    one = alike[0]
    changes = [f"{change:.1%}" for change in sorted(each.mean_change for each in alike)]
    change = changes[0] if changes[0] == changes[-1] else f"{changes[0]} to {changes[-1]}"
    sites = listed(each.site for each in alike)
    note = f"{one.op} {one.operand} at {sites}: {one.tokens} tokens, mean change {change}"
    if gate := one.gate:
        note += f", gate open {gate.opened} of {gate.readings} (mean {gate.mean_reading:.3g})"
    for latent in one.features:
        note += f", latent {latent.index} {latent.mean_before:.3g} → {latent.mean_after:.3g}"
    return note


def _one_line(text: str) -> str:
    return text.replace("\n", "⏎")
