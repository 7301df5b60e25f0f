"""What a formal checker found in an arm's traces."""

from dataclasses import dataclass

from steer.measure.rates import Rate
from steer.measure.records import Record
from steer.measure.study import Study, rate_of


@dataclass(frozen=True, slots=True)
class Traces:
    """Rates over completions, 0 to 1; a field is None where nothing was checked.

    ``valid_when_right``: of the completions with the right answer, those with a valid trace;
    ``steps``: mean share of the gold steps that are right; ``follows``: the answer given is what
    the last step written implies. Accuracy and validity separate: arXiv 2505.13775.
    """

    begun: Rate | None
    complete: Rate | None
    valid: Rate | None
    valid_when_right: Rate | None
    steps: Rate | None
    follows: Rate | None


def traces(study: Study, arm: str) -> Traces:
    """Of one arm."""
    table = study.problems

    def valid_when_right(record: Record) -> float | None:
        return record.trace_valid if record.correct else None

    return Traces(
        rate_of(table, arm, lambda record: record.thinks),
        rate_of(table, arm, lambda record: record.trace_complete),
        rate_of(table, arm, lambda record: record.trace_valid),
        rate_of(table, arm, valid_when_right),
        rate_of(table, arm, lambda record: record.trace_right),
        rate_of(table, arm, lambda record: record.trace_follows),
    )
