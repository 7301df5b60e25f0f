"""The columns of an evaluation's table that people are shown, and how they are written.

One list for the page and the terminal; programs get every column of ``steer.measure.plain``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Report = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """``head``: for people; ``hint``: what it is. ``names``: of the values in a row of a report's
    table, joined by an en dash; ``write``: one of them as text."""

    head: str
    hint: str
    names: tuple[str, ...]
    write: Callable[[Any], str] = str

    def text(self, row: Row) -> str:
        """The value for people; empty where there is none."""
        values = [row[name] for name in self.names]
        return "" if None in values else " – ".join(map(self.write, values))


def percent(value: float) -> str:
    """A fraction in percent."""
    return f"{100 * value:.1f}"


def points(value: float) -> str:
    """A difference of fractions in percentage points, with its sign."""
    return f"{100 * value:+.1f}"


def p_value(value: float) -> str:
    """A p value; small ones as a bound."""
    return "<0.0001" if value < 1e-4 else f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def number(value: float) -> str:
    """Two decimals."""
    return f"{value:.2f}"


def signed(value: float) -> str:
    """Two decimals and the sign."""
    return f"{value:+.2f}"


SHOWN = (
    Column("arm", "its name", ("arm",)),
    Column("n", "problems", ("items",)),
    Column("right %", "accuracy", ("accuracy",), percent),
    Column("95 %", "interval of the accuracy", ("accuracy_low", "accuracy_high"), percent),
    Column("Δ", "points above the baseline", ("difference",), points),
    Column("p", "of the difference, corrected in its family (Holm)", ("p_holm",), p_value),
    Column("begun %", "completions that begin a trace", ("begun",), percent),
    Column("valid %", "completions with a complete and valid trace", ("valid",), percent),
    Column("follows %", "answers that the last step implies", ("follows",), percent),
    Column("tokens", "mean length", ("tokens",), "{:.1f}".format),
    Column("KL", "nats per token to the unsteered model", ("kl",), number),
    Column("kept %", "retention items right", ("retention",), percent),
    Column("cos", "cosine to the steered vector", ("cosine",), signed),
)


def rows_of(report: Report) -> Sequence[Row]:
    """One row for each arm; none of a report without numbers yet."""
    rows: Sequence[Row] = report.get("table", ())
    return rows
