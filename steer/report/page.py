"""A report as one page of HTML that needs nothing else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from steer.report.columns import PAIRED, SEEDED, SHOWN, WRITTEN, Column, Report, Row, rows_of
from steer.report.effects import effect
from steer.report.forest import forest
from steer.report.gains import gains
from steer.report.heat import examples
from steer.report.layers import layers
from steer.report.markup import Markup, join, tag
from steer.report.passes import passes
from steer.report.style import STYLE
from steer.report.sweep_page import sweep_figures

TONE = {"reasoning elicited": "good", "mode switch / token preference": "mode", "harm": "bad"}
"""How a verdict looks; the others are neutral."""
MARKS = {True: ("✓", "good"), False: ("✗", "soft"), None: ("?", "soft")}
_META = Markup(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
)


def as_html(report: Report, run: str = "") -> str:
    """The page of an evaluation; ``run``: the id of the run it is of. A report without numbers yet
    says so."""
    title = f"{report['task']['name']} · {report['subject'] or 'baseline'}"
    return _page(title, _about(report, run), *_body(report))


def sweep_as_html(report: Report, run: str = "") -> str:
    """The page of a sweep: its cells, then the evaluation of the best."""
    model, evaluation = report["model"], report.get("evaluation")
    title = f"{report['task']['name']} · sweep"
    cells = f"{max(0, len(rows_of(report)) - 1)} cells on {report['select_n']} problems"
    told = (*([f"run {run}"] if run else []), cells, f"{model['id']} ({model['fingerprint']})")
    about = tag("p", " · ".join(told), class_="meta")
    figures = (part for name, drawn in sweep_figures(report) for part in _section(name, drawn))
    best: list[Markup] = []
    if evaluation is not None and "subject" in evaluation:
        best = [tag("h1", evaluation["subject"]), _about(evaluation, ""), *_body(evaluation)]
    return _page(title, about, *figures, *best)


PAGES: Mapping[str, Callable[[Report, str], str]] = {
    "evaluate": as_html,
    "sweep": sweep_as_html,
}
"""The page of a report, by the kind of its run."""


def _page(title: str, *parts: Markup) -> str:
    head = tag("head", _META, tag("title", title), tag("style", Markup(STYLE)))
    body = tag("body", tag("h1", title), *parts)
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _about(report: Report, run: str) -> Markup:
    model, other = report["model"], report.get("untaught")
    told = (
        *([f"run {run}"] if run else []),
        f"{_asked(report)} problems of the split {report['split']}",
        f"{report['samples']} completion{'s' * (report['samples'] != 1)} each",
        f"seed {report['seed']}",
        f"{model['id']} ({model['fingerprint']})",
        *([f"untaught: {other['model']}, run {other['run']}"] if other else []),
    )
    return tag("p", " · ".join(told), class_="meta")


def _asked(report: Report) -> str:
    """How many; of a run that is not over, also how many are done."""
    done = max((row["items"] for row in rows_of(report) if row["role"] == "baseline"), default=0)
    return str(report["n"]) if done == report["n"] else f"{done} of {report['n']}"


def _body(report: Report) -> Iterator[Markup]:
    if not rows_of(report):
        yield tag("p", "No numbers yet.")
        return
    yield from map(_verdict, report["verdicts"])
    yield from _section("Accuracy", forest(report))
    for found in report["summary"]["effects"]:
        yield from _section(f"Dose and trace of {found['arm']}", effect(found, report))
    yield from _section("Several samples", passes(report["summary"]["arms"]))
    yield from _section("Information gain", gains(report["summary"]["gains"]))
    yield from _section("Where it acts", layers(report))
    yield from _tables(rows_of(report))
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


def _tables(rows: Sequence[Row]) -> Iterator[Markup]:
    """Every arm; then without the seeds of nulls, which say no more there."""
    single = [row for row in rows if row["role"] not in SEEDED]
    paired = [row for row in single if row["difference"] is not None]
    yield from _section("Every arm", _table(SHOWN, rows))
    yield from _section("Against the baseline, problem by problem", _table(PAIRED, paired))
    yield from _section("What they write, and what it costs", _table(WRITTEN, single))


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> Markup:
    if not rows:
        return Markup()
    heads = (tag("th", column.head, title=column.hint) for column in columns)
    body = (
        tag("tr", *(tag("td", column.text(row)) for column in columns), class_=row["role"])
        for row in rows
    )
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body))
    return tag("div", table, class_="wide")


def _notes(report: Report) -> Markup:
    notes = [*report["warnings"], *report["summary"]["warnings"]]
    return tag("ul", *(tag("li", note) for note in notes), class_="notes") if notes else Markup()
