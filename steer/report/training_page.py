"""The page of a training run: how it went, why it ended, and what was stored."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steer.report.columns import Column, percent, rows_of
from steer.report.curves import RATES, Height, Series, plot
from steer.report.frame import about, page, section, table
from steer.report.markup import Markup, tag

Found = Mapping[str, Any]

_RATES = {"reward": "steered", "selected": "ceiling", "retained": "forced"}
_NATS = {"loss": "steered", "kl": "ceiling", "retention_kl": "forced", "teacher_kl": "swapped"}
_LOOKS = (
    Column("step", "", ("step",)),
    Column("select right %", "of the problems that choose the step", ("selected",), percent),
    Column("kept %", "retention items right", ("retained",), percent),
)


def training_page(report: Found, run: str = "") -> str:
    """``run``: the id of the run it is of. Of one that goes on, what there is so far."""
    told = [run and f"run {run}", f"{report['steps']} steps"]
    if "address" not in report:
        title = f"training · {report['objective']}"
        return page(title, about([*told, "nothing is stored yet"]), *_body(report))
    model = report["card"]["model"]
    told += [f"ended: {report['because']}", f"{model['id']} ({model['fingerprint']})"]
    title = f"{report['name']} · {report['objective']}"
    return page(title, about(told), about((report["address"],)), *_stored(report), *_body(report))


def chosen(measured: Found) -> str:
    """What the problems say that chose the step, in words."""
    return (
        f"select: {measured['unsteered_selected']:g} % → {measured['selected']:g} % of "
        f"{measured['n']}, which chose the step; `steer evaluate` says what it is worth"
    )


def _stored(report: Found) -> Iterator[Markup]:
    yield tag("p", report["card"]["description"])
    yield tag("p", f"Step {report['kept_step']} was kept.")
    if measured := report["card"]["measured"]:
        yield tag("p", chosen(measured))


def _body(report: Found) -> Iterator[Markup]:
    rows = rows_of(report)
    pushes = [name for name in (rows[-1] if rows else ()) if name.startswith("relative.")]
    lines = [_lines(rows, {name: "steered"}) for name in pushes]
    yield from section("Rewards and right answers", _plots([_lines(rows, _RATES)], RATES))
    yield from section("Loss and distances, nats per token", _plots([_lines(rows, _NATS)]))
    yield from section("‖v‖/‖h‖", _plots(lines))
    looks = [row for row in rows if row.get("selected") is not None]
    yield from section("Looks at the split select", table(_LOOKS, looks))


def _lines(rows: Sequence[Found], names: Mapping[str, str]) -> list[Series]:
    """A line for each number that some records have more than once."""
    found = []
    for name, class_ in names.items():
        there = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        if len(there) > 1:
            found.append(Series.plain(name, class_, there))
    return found


def _plots(lines: Sequence[Sequence[Series]], height: Height | None = None) -> Markup:
    """A plot for each group of lines."""
    plots = [plot(of[0].name, "step", of, height or Height.over(of)) for of in lines if of]
    return tag("div", *plots, class_="pair") if plots else Markup()
