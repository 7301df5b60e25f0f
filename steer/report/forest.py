"""The arms and their accuracies, one line each; the seeds of a null share one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steer.report.columns import SEEDED, Report, Row, percent, rows_of
from steer.report.markup import Markup, join
from steer.report.svg import Scale, dot, figure, interval, line, percents, text

WIDTH, LEFT, RIGHT, TOP, LINE = 800.0, 190.0, 60.0, 8.0, 19.0


@dataclass(frozen=True, slots=True)
class _Line:
    label: str
    rows: Sequence[Row]


def forest(report: Report) -> Markup:
    """Dots with 95 % intervals; a dashed line where the baseline is, and a dotted one at chance."""
    lines = list(_lines(rows_of(report)))
    bottom = TOP + LINE * len(lines)
    scale = Scale(0.0, 1.0, LEFT, WIDTH - RIGHT)
    drawn = [_drawn(one, TOP + LINE * (i + 0.5), scale) for i, one in enumerate(lines)]
    return figure(
        WIDTH,
        bottom + 20,
        "Accuracy of every arm with its 95 % interval",
        percents(scale, TOP - 4, bottom),
        *(line(scale(at), TOP - 4, scale(at), bottom, kind) for at, kind in _levels(report)),
        *drawn,
    )


def _lines(rows: Sequence[Row]) -> Iterator[_Line]:
    seen: set[str] = set()
    for row in rows:
        role = row["role"]
        if role not in SEEDED:
            yield _Line(row["arm"], [row])
        elif role not in seen:
            seen.add(role)
            same = [other for other in rows if other["role"] == role]
            yield _Line(f"{SEEDED[role]} × {len(same)}", same)


def _levels(report: Report) -> Iterator[tuple[float, str]]:
    choices = report["task"]["choices"]
    if choices:
        yield 1 / choices, "chance"
    for row in rows_of(report):
        if row["role"] == "baseline":
            yield row["accuracy"], "level"


def _drawn(one: _Line, y: float, scale: Scale) -> Markup:
    mean = sum(row["accuracy"] for row in one.rows) / len(one.rows)
    single = len(one.rows) == 1
    return join(
        text(LEFT - 12, y + 4, one.label, "label", "end"),
        *(_mark(row, y, scale, single) for row in one.rows),
        text(WIDTH, y + 4, f"{percent(mean)} %", "label", "end"),
    )


def _mark(row: Row, y: float, scale: Scale, single: bool) -> Markup:
    low, high, role = row["accuracy_low"], row["accuracy_high"], row["role"]
    words = f"{row['arm']}: {percent(row['accuracy'])} % [{percent(low)}, {percent(high)}]"
    spread = interval(scale(low), scale(high), y, role) if single else Markup()
    return join(spread, dot(scale(row["accuracy"]), y, role, words, r=4.0 if single else 2.5))
