"""The page of an evaluation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steer.report.columns import PAIRED, SEEDED, SHOWN, WRITTEN, Report, Row, rows_of
from steer.report.effects import effect
from steer.report.forest import forest
from steer.report.frame import about, notes, page, section, table
from steer.report.gains import gains
from steer.report.heat import examples
from steer.report.layers import layers
from steer.report.markup import Markup, join, tag
from steer.report.passes import passes

TONE = {"reasoning elicited": "good", "mode switch / token preference": "mode", "harm": "bad"}
"""How a verdict looks; the others are neutral."""
MARKS = {True: ("✓", "good"), False: ("✗", "soft"), None: ("?", "soft")}


def evaluation_page(report: Report, run: str = "") -> str:
    """``run``: the id of the run it is of. A report without numbers yet says so."""
    title = f"{report['task']['name']} · {report['subject'] or 'baseline'}"
    return page(title, about_evaluation(report, run), *evaluation_body(report))


def about_evaluation(report: Report, run: str) -> Markup:
    """How it was asked."""
    model, other = report["model"], report.get("untaught")
    told = (
        run and f"run {run}",
        f"{_asked(report)} problems of the split {report['split']}",
        f"{report['samples']} completion{'s' * (report['samples'] != 1)} each",
        f"seed {report['seed']}",
        f"{model['id']} ({model['fingerprint']})",
        f"untaught: {other['model']}, run {other['run']}" if other else "",
    )
    return about(told)


def _asked(report: Report) -> str:
    """How many; of a run that is not over, also how many are done."""
    done = max((row["items"] for row in rows_of(report) if row["role"] == "baseline"), default=0)
    return str(report["n"]) if done == report["n"] else f"{done} of {report['n']}"


def evaluation_body(report: Report) -> Iterator[Markup]:
    """Its verdicts, figures and tables."""
    if not rows_of(report):
        yield tag("p", "No numbers yet.")
        return
    yield from map(_verdict, report["verdicts"])
    yield from section("Accuracy", forest(report))
    for found in report["summary"]["effects"]:
        yield from section(f"Dose and trace of {found['arm']}", effect(found, report))
    yield from section("Several samples", passes(report["summary"]["arms"]))
    yield from section("Information gain", gains(report["summary"]["gains"]))
    yield from section("Where it acts", layers(report))
    yield from _tables(rows_of(report))
    yield from section("Examples", examples(report))
    yield from section("Notes", notes([*report["warnings"], *report["summary"]["warnings"]]))


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
    yield from section("Every arm", table(SHOWN, rows))
    yield from section("Against the baseline, problem by problem", table(PAIRED, paired))
    yield from section("What they write, and what it costs", table(WRITTEN, single))
