"""How far an arm went from the unsteered model."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from steer.measure.records import Record


@dataclass(frozen=True, slots=True)
class Drift:
    """Of one arm, over all tokens of its completions; None where it was not measured.

    ``kl``: mean KL(arm‖unsteered) of the next-token distributions, nats per token.
    ``first_kl``: at the first token, mean over completions. ``first_share``: the part of the whole
    KL that the first tokens hold, 0 to 1: near 1, the arm chooses how to begin and no more.
    ``perplexity``: exp of the mean -log p of its tokens under the unsteered model.
    ``touched``: positions changed, mean over completions. ``change``: mean ‖Δ‖/‖h‖ at those.
    """

    kl: float | None
    first_kl: float | None
    first_share: float | None
    perplexity: float | None
    touched: float
    change: float


def drift(records: Sequence[Record]) -> Drift:
    """Of one or more records."""
    kl = _mean(records, lambda record: record.mean_kl, lambda record: record.tokens)
    first = _mean(records, lambda record: record.first_kl)
    nats = _mean(records, lambda record: record.baseline_nats, lambda record: record.tokens)
    change = _mean(records, lambda record: record.mean_change, lambda record: record.touched)
    return Drift(
        kl,
        first,
        _first_share(records),
        None if nats is None else math.exp(min(nats, 700.0)),
        math.fsum(record.touched for record in records) / len(records),
        change or 0.0,
    )


def _mean(
    records: Sequence[Record],
    value: Callable[[Record], float | None],
    weight: Callable[[Record], float] = lambda _: 1.0,
) -> float | None:
    """Weighted mean over the records that have the value; None when they weigh nothing."""
    pairs = [(found, weight(record)) for record in records if (found := value(record)) is not None]
    total = math.fsum(times for _, times in pairs)
    return math.fsum(found * times for found, times in pairs) / total if total else None


def _first_share(records: Sequence[Record]) -> float | None:
    known = [
        (record.first_kl, record.mean_kl * record.tokens)
        for record in records
        if record.first_kl is not None and record.mean_kl is not None
    ]
    whole = math.fsum(total for _, total in known)
    return min(1.0, math.fsum(first for first, _ in known) / whole) if whole > 0 else None
