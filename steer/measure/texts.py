"""What completions look like: lengths, endings, repetition."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from steer.measure.records import Record
from steer.types import FinishReason

_ENDED = {FinishReason.STOP, FinishReason.STOP_SEQUENCE}


def distinct(token_ids: Sequence[int], n: int = 2) -> float:
    """Distinct n-grams by n-grams, 0 to 1; 1 where there is none. 1 - this is repetition.

    Source: J. Li et al., "A Diversity-Promoting Objective Function", arXiv 1510.03055.
    """
    grams = list(zip(*(token_ids[i:] for i in range(n)), strict=False))
    return len(set(grams)) / len(grams) if grams else 1.0


@dataclass(frozen=True, slots=True)
class Texts:
    """Of one arm's completions: tokens each, the share that ended by itself (end of text or a stop
    sequence), the share cut at the limit, and mean repetition (1 - distinct bigrams, 0 to 1)."""

    mean_tokens: float
    median_tokens: float
    most_tokens: int
    ended: float
    cut: float
    repetition: float


def texts(records: Sequence[Record]) -> Texts:
    """Of one or more records."""
    lengths = [record.tokens for record in records]
    return Texts(
        statistics.fmean(lengths),
        statistics.median(lengths),
        max(lengths),
        statistics.fmean(record.finish in _ENDED for record in records),
        statistics.fmean(record.finish == FinishReason.LENGTH for record in records),
        statistics.fmean(1 - record.distinct2 for record in records),
    )
