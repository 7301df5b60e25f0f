"""A report as one page of HTML that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steer.report.columns import SHOWN, Report, Row, rows_of
from steer.report.curves import Series, plot
from steer.report.forest import forest
from steer.report.gains import gains
from steer.report.heat import examples
from steer.report.layers import layers
from steer.report.markup import Markup, join, tag
from steer.report.style import STYLE

TONE = {"reasoning elicited": "good", "mode switch / token preference": "mode", "harm": "bad"}
"""How a verdict looks; the others are neutral."""
MARKS = {True: ("✓", "good"), False: ("✗", "soft"), None: ("?", "soft")}
_META = Markup(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
)


def as_html(report: Report, run: str = "") -> str:
    """The page; ``run``: the id of the run it is of. A report without numbers yet says so."""
    title = f"{report['task']['name']} · {report['subject'] or 'baseline'}"
    head = tag("head", _META, tag("title", title), tag("style", Markup(STYLE)))
    body = tag("body", tag("h1", title), _about(report, run), *_body(report))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _about(report: Report, run: str) -> Markup:
    model = report["model"]
    told = (
        *([f"run {run}"] if run else []),
        f"{report['n']} problems of the split {report['split']}",
        f"{report['samples']} completion{'s' * (report['samples'] != 1)} each",
        f"seed {report['seed']}",
        f"{model['id']} ({model['fingerprint']})",
    )
    return tag("p", " · ".join(told), class_="meta")


def _body(report: Report) -> Iterator[Markup]:
    if not rows_of(report):
        yield tag("p", "No numbers yet.")
        return
    yield from map(_verdict, report["verdicts"])
    yield from _section("Accuracy", forest(report))
    for effect in report["summary"]["effects"]:
        yield from _section(f"Dose and trace of {effect['arm']}", _effect(effect, report))
    yield from _section("Information gain", gains(report["summary"]["gains"]))
    yield from _section("Where it acts", layers(report))
    yield from _section("Every arm", tag("div", _table(rows_of(report)), class_="wide"))
    yield from _section("Examples", examples(report))
    yield from _section("Notes", _notes(report))


def _section(title: str, content: Markup) -> Iterator[Markup]:
    if content:
        yield tag("h2", title)
        yield content


def _verdict(verdict: Mapping[str, Any]) -> Markup:
    said = (tag("li", words) for words in verdict["because"])
    box = tag(
        "div",
        tag("span", f"{verdict['arm']}: ", class_="soft"),
        tag("strong", verdict["outcome"]),
        tag("ul", *said, class_="notes"),
        class_=f"verdict {TONE.get(verdict['outcome'], '')}",
    )
    cautions = tag("ul", *(tag("li", one) for one in verdict["cautions"]), class_="notes")
    return join(box, cautions, tag("ol", *map(_finding, verdict["findings"]), class_="rules"))


def _finding(finding: Mapping[str, Any]) -> Markup:
    sign, class_ = MARKS[finding["holds"]]
    arms: Sequence[str] = finding["arms"]
    return tag(
        "li",
        tag("i", sign, class_=class_),
        tag("span", finding["rule"]),
        tag("span", finding["says"], class_="soft", title=", ".join(arms)),
    )


def _effect(effect: Mapping[str, Any], report: Report) -> Markup:
    doses, kept = effect["doses"], effect["causal"]["kept"]
    plots = []
    if len(doses) > 1:
        right = [(dose["strength"], dose["accuracy"]) for dose in doses]
        begun = [(dose["strength"], dose["begun"]) for dose in doses if dose["begun"]]
        series = [Series("right", "steered", right)]
        series += [Series("traces begun", "truncated", begun)] if begun else []
        plots.append(plot("Dose and response", "strength", series))
    if kept:
        whole = next(a for a in report["summary"]["arms"] if a["arm"]["name"] == effect["arm"])
        right = [(one["fraction"], one["accuracy"]) for one in kept]
        series = [Series("right", "truncated", [*right, (1.0, whole["accuracy"])])]
        plots.append(plot("The trace cut short", "part of the trace kept", series))
    return tag("div", *plots, class_="pair") if plots else Markup()


def _table(rows: Sequence[Row]) -> Markup:
    heads = (tag("th", column.head, title=column.hint) for column in SHOWN)
    body = (
        tag("tr", *(tag("td", column.text(row)) for column in SHOWN), class_=row["role"])
        for row in rows
    )
    return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body))


def _notes(report: Report) -> Markup:
    notes = [*report["warnings"], *report["summary"]["warnings"]]
    return tag("ul", *(tag("li", note) for note in notes), class_="notes") if notes else Markup()
