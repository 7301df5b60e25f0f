"""The columns of an evaluation's table that people are shown, and how they are written.

One list for the page and the terminal; programs get every column of ``steer.measure.plain``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Report = Mapping[str, Any]
Row = Mapping[str, Any]

SEEDED = {"random": "random", "within_class": "within class", "stratified": "stratified"}
"""Roles whose arms share a line, and its label."""


@dataclass(frozen=True, slots=True)
class Column:
    """``head``: for people; ``hint``: what it is. ``names``: of the values in a row of a report's
    table, joined by an en dash; ``write``: one of them as text. ``rank``: where there is little
    room, columns of the highest rank go first, those of rank 0 never."""

    head: str
    hint: str
    names: tuple[str, ...]
    write: Callable[[Any], str] = str
    rank: int = 0

    def text(self, row: Row) -> str:
        """The value for people; empty where there is none, as in a report of an older version."""
        values = [row.get(name) for name in self.names]
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


NAME = Column("arm", "its name", ("arm",))
DELTA = Column("Δ", "points above the baseline", ("difference",), points)
P = Column("p", "of the difference, corrected in its family (Holm)", ("p_holm",), p_value, 4)
BEGUN = Column("begun %", "completions that begin a trace", ("begun",), percent, 5)
VALID = Column("valid %", "completions with a complete and valid trace", ("valid",), percent, 1)
FOLLOWS = Column("follows %", "answers that the last step implies", ("follows",), percent, 7)
TOKENS = Column("tokens", "mean length", ("tokens",), "{:.1f}".format, 6)
KL = Column("KL", "nats per token to the unsteered model", ("kl",), number, 3)
KEPT = Column("kept %", "retention items right", ("retention",), percent, 1)

SHOWN = (
    NAME,
    Column("n", "problems", ("items",), rank=8),
    Column("right %", "accuracy", ("accuracy",), percent),
    Column("95 %", "interval of the accuracy", ("accuracy_low", "accuracy_high"), percent, 2),
    DELTA,
    P,
    BEGUN,
    VALID,
    FOLLOWS,
    TOKENS,
    KL,
    KEPT,
    Column("cos", "cosine to the steered vector", ("cosine",), signed, 9),
)
"""What an evaluation is about: of every arm."""

PAIRED = (
    NAME,
    DELTA,
    Column("95 %", "interval of the difference", ("difference_low", "difference_high"), points),
    P,
    Column("put right %", "wrong in the baseline, right here (δ_c)", ("corrected",), percent),
    Column("spoilt %", "right in the baseline, wrong here (δ_o)", ("overthought",), percent),
    Column("r_c %", "put right, of those the baseline has wrong", ("correction_rate",), percent),
    Column("r_o %", "spoilt, of those the baseline has right", ("overthinking_rate",), percent),
    Column("gap %", "of the way to the ceiling", ("recovery",), percent),
    Column("95 %", "interval of the gap", ("recovery_low", "recovery_high"), percent),
)
"""Against the baseline, problem by problem."""

WRITTEN = (
    NAME,
    Column("answered %", "completions with an answer", ("answered",), percent),
    Column("ended %", "completions that end by themselves", ("ended",), percent),
    Column("repeated %", "bigrams that were there before", ("repetition",), percent),
    Column("steps %", "steps of the right trace that are right", ("steps",), percent),
    Column("valid, of right %", "valid traces, of right answers", ("valid_when_right",), percent),
    Column("first token's KL %", "of all the KL", ("first_share",), percent),
    Column("perplexity", "under the unsteered model", ("perplexity",), number),
    Column("Δ kept", "points above the baseline", ("retention_difference",), points),
    Column("p", "of that, corrected (Holm)", ("retention_p_holm",), p_value),
)
"""What the completions look like, and what they cost."""


def rows_of(report: Report) -> Sequence[Row]:
    """One row for each arm; none of a report without numbers yet."""
    rows: Sequence[Row] = report.get("table", ())
    return rows
