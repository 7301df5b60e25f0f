"""What comes back for each row: tokens, its end, its measurements."""

import math
from dataclasses import dataclass
from enum import StrEnum

from steer.types.receipt import Receipt


class FinishReason(StrEnum):
    """Why a row ended."""

    STOP = "stop"
    LENGTH = "length"
    STOP_SEQUENCE = "stop_sequence"
    TIME_LIMIT = "time_limit"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the most likely tokens at a step."""

    token_id: int
    logprob: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts and times (seconds) of one row. ``cached_tokens`` were prefilled by another."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    queue_time: float = 0.0
    prefill_time: float = 0.0
    decode_time: float = 0.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """New tokens of one row. ``logprobs`` and ``ranks`` (1 = most likely) are of the row's own
    distribution, before temperature and filters; empty unless asked for, measured or branched.
    ``margins``: p(most likely) - p(second) at each token, 0 to 1; of branches alone."""

    arm: str
    sample: int
    token_ids: tuple[int, ...]
    text: str
    logprobs: tuple[float, ...] = ()
    ranks: tuple[int, ...] = ()
    alternatives: tuple[tuple[Alternative, ...], ...] = ()
    margins: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of one row."""

    arm: str
    sample: int
    reason: FinishReason
    stop: str
    usage: Usage
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row against the unsteered model on the same tokens.

    ``first_divergence``: index of the first generated token that differs from the baseline arm's
    of the same sample; None when the texts are equal or there is no baseline arm. ``kl[i]``:
    KL(arm‖baseline) in nats of the next-token distributions at generated token i, along the arm's
    own tokens. ``baseline_logprobs[i]``: log-probability of the arm's token i under the unsteered
    model (nats).
    """

    arm: str
    sample: int
    first_divergence: int | None
    kl: tuple[float, ...]
    logprobs: tuple[float, ...]
    baseline_logprobs: tuple[float, ...]

    @property
    def mean_kl(self) -> float:
        """Mean of ``kl`` over generated tokens, nats per token; 0 when there is none."""
        return math.fsum(self.kl) / len(self.kl) if self.kl else 0.0


@dataclass(frozen=True, slots=True)
class ScoredArm:
    """Teacher-forced log-probabilities (nats) and ranks of the continuation under one arm."""

    name: str
    logprobs: tuple[float, ...]
    ranks: tuple[int, ...]
    kl: tuple[float, ...]
    receipts: tuple[Receipt, ...]

    @property
    def total(self) -> float:
        """Log-probability of the whole continuation, nats."""
        return math.fsum(self.logprobs)
