"""The page of a sweep: every cell, the causal layer map, how alike the modes look by layer, and
the evaluation of the best."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steer.report.columns import percent, points, rows_of
from steer.report.curves import Series, plot
from steer.report.evaluation_page import about_evaluation, evaluation_body
from steer.report.frame import about, page, section
from steer.report.grid import Cell, Row, grid
from steer.report.markup import Markup, join, tag

Found = Mapping[str, Any]


def sweep_page(report: Found, run: str = "") -> str:
    """``run``: the id of the run it is of."""
    model, evaluation = report["model"], report.get("evaluation")
    title = f"{report['task']['name']} · sweep"
    cells = f"{max(0, len(rows_of(report)) - 1)} cells on {report['select_n']} problems"
    told = (run and f"run {run}", cells, f"{model['id']} ({model['fingerprint']})")
    figures = (part for name, drawn in _figures(report) for part in section(name, drawn))
    best: list[Markup] = []
    if evaluation is not None and "subject" in evaluation:
        about_best = about_evaluation(evaluation, "")
        best = [tag("h1", evaluation["subject"]), about_best, *evaluation_body(evaluation)]
    return page(title, about(told), *figures, *best)


def _figures(report: Found) -> Iterator[tuple[str, Markup]]:
    """Titles and figures; those that have nothing to show are empty."""
    rows = [row for row in rows_of(report) if row["op"] is not None]
    yield "The best", _best(report)
    yield "Right answers of every cell, % (split select)", _cells(rows)
    yield "Layer by layer, at the best strength of each", _layers(report)
    yield "Dose and response", _doses(rows)
    yield "Plain and cued prompts: linear CKA at the last prompt token", _modes(report["modes"])


def _best(report: Found) -> Markup:
    best = report.get("best")
    if best is None:
        return tag("p", "Not every cell is done.")
    row = next(row for row in rows_of(report) if row["name"] == best["name"])
    said = (
        f"{best['name']}: {percent(row['accuracy'])} % right on the problems it was chosen on, "
        f"{points(row['difference'])} points, p = {row['p_holm']:.2g} corrected over "
        f"{len(rows_of(report)) - 1} cells. What follows it below is measured on others."
    )
    return tag("p", said)


def _cells(rows: Sequence[Found]) -> Markup:
    lines: dict[str, dict[int, Cell]] = {}
    for row in rows:
        if row["layer"] is not None:
            label = f"{row['op']} · {row['point']} ×{row['strength']:g}"
            change = "" if row["difference"] is None else f"{points(row['difference'])} points"
            kept = "" if row["retention"] is None else f", {percent(row['retention'])} % kept"
            cell = Cell(row["accuracy"], f"{100 * row['accuracy']:.0f}", change + kept)
            lines.setdefault(label, {})[row["layer"]] = cell
    return grid("Accuracy by layer", [Row(label, cells) for label, cells in lines.items()])


def _layers(report: Found) -> Markup:
    by_name = {row["name"]: row for row in rows_of(report)}
    lines: dict[tuple[str, str], list[Found]] = {}
    for one in report.get("layers", ()):
        lines.setdefault((one["op"], one["point"]), []).append(by_name[one["name"]])
    plots = [
        plot(f"{op} · {point}", f"layer · {op} · {point}", _both(rows))
        for (op, point), rows in lines.items()
        if len(rows) > 1
    ]
    return tag("div", *plots, class_="pair") if plots else Markup()


def _both(rows: Sequence[Found]) -> list[Series]:
    rows = sorted(rows, key=lambda row: row["layer"])
    right = [(row["layer"], _rate(row, "accuracy")) for row in rows]
    kept = [(row["layer"], _rate(row, "retention")) for row in rows if row["retention"] is not None]
    series = [Series("right", "steered", right)]
    return [*series, Series("kept", "ceiling", kept)] if kept else series


def _rate(row: Found, name: str) -> dict[str, Any]:
    return {"value": row[name], "low": row[f"{name}_low"], "high": row[f"{name}_high"]}


def _doses(rows: Sequence[Found]) -> Markup:
    lines: dict[str, list[Found]] = {}
    for row in rows:
        lines.setdefault(row["name"].rpartition("×")[0], []).append(row)
    plots = [
        plot(place, f"strength · {place}", [Series("right", "steered", _by_dose(of))])
        for place, of in lines.items()
        if len(of) > 1
    ]
    return tag("div", *plots, class_="pair") if plots else Markup()


def _by_dose(rows: Sequence[Found]) -> list[tuple[float, dict[str, Any]]]:
    ordered = sorted(rows, key=lambda row: row["strength"])
    return [(row["strength"], _rate(row, "accuracy")) for row in ordered]


def _modes(modes: Sequence[Found]) -> Markup:
    lines: dict[str, list[Found]] = {}
    for one in modes:
        if one["value"] is not None and one["floor"] is not None:
            lines.setdefault(one["point"], []).append(one)
    plots = [
        plot(
            point,
            f"layer · {point}",
            [
                Series("plain ~ cued", "steered", [(one["layer"], dict(one)) for one in of]),
                Series.plain("noise floor", "random", [(one["layer"], one["floor"]) for one in of]),
            ],
        )
        for point, of in lines.items()
    ]
    return join(tag("div", *plots, class_="pair")) if plots else Markup()
