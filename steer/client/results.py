"""What comes back: rows, arms, comparisons, scores."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from steer.client.run_table import as_pandas
from steer.types import (
    BASELINE,
    STEERED,
    Alternative,
    Branches,
    FinishReason,
    Measurement,
    Receipt,
    ScoredArm,
    Started,
    Usage,
)

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, slots=True)
class Row:
    """One (arm, sample): everything generated, how it ended, what was done, what was measured."""

    arm: str
    sample: int
    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    ranks: tuple[int, ...]
    alternatives: tuple[tuple[Alternative, ...], ...]
    finish_reason: FinishReason
    stop: str
    usage: Usage
    receipts: tuple[Receipt, ...]
    measurement: Measurement | None = None
    margins: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm. ``samples`` are all its rows; everything else speaks of the first one.

    ``branches``: of a branched trial, where sample i is the branch of rank i.
    """

    name: str
    samples: tuple[Row, ...]
    branches: Branches | None = None

    @property
    def text(self) -> str:
        """Generated text."""
        return self.samples[0].text

    @property
    def token_ids(self) -> tuple[int, ...]:
        """Generated token ids."""
        return self.samples[0].token_ids

    @property
    def logprobs(self) -> tuple[float, ...]:
        """Log-probability of each token under the arm's own distribution, nats."""
        return self.samples[0].logprobs

    @property
    def ranks(self) -> tuple[int, ...]:
        """Rank of each token in that distribution, 1 = most likely."""
        return self.samples[0].ranks

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended."""
        return self.samples[0].finish_reason

    @property
    def usage(self) -> Usage:
        """Token counts and times."""
        return self.samples[0].usage

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """One for each intervention and site."""
        return self.samples[0].receipts

    @property
    def measurement(self) -> Measurement | None:
        """The row against the unsteered model; None when that was not asked for."""
        return self.samples[0].measurement


@dataclass(frozen=True, repr=False)
class Comparison:
    """A whole trial: its arms in order, baseline first. Prints itself side by side."""

    started: Started
    arms: Mapping[str, ArmResult]

    def __getitem__(self, name: str) -> ArmResult:
        return self.arms[name]

    def __iter__(self) -> Iterator[ArmResult]:
        return iter(self.arms.values())

    @property
    def baseline(self) -> ArmResult:
        """The arm without interventions. Raises KeyError when it was switched off."""
        return self.arms[BASELINE]

    @property
    def steered(self) -> ArmResult:
        """The arm of the single intervention given. Raises KeyError when arms were given."""
        return self.arms[STEERED]

    @cached_property
    def measurements(self) -> dict[str, Measurement]:
        """Measurement of the first row of each measured arm, by the arm's name."""
        return {arm.name: arm.measurement for arm in self if arm.measurement is not None}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: what was applied, every row, and the branches where there are some."""
        arms = {arm.name: [asdict(row) for row in arm.samples] for arm in self}
        plain = {"started": _plain(asdict(self.started)), "arms": _plain(arms)}
        branches = {arm.name: asdict(arm.branches) for arm in self if arm.branches}
        return plain | {"branches": _plain(branches)} if branches else plain

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` with one line for each row. Raises ImportError without pandas."""
        return as_pandas(_record(row) for arm in self for row in arm.samples)

    def __repr__(self) -> str:
        from steer.client.display import as_text

        return as_text(self)

    def __rich__(self) -> "RenderableType":
        from steer.client.display import as_rich

        return as_rich(self)

    def _repr_html_(self) -> str:
        from steer.client.display import as_html

        return as_html(self)


@dataclass(frozen=True, slots=True, repr=False)
class Scores:
    """A continuation under each arm, baseline first. ``token_ids`` are the continuation's."""

    started: Started
    token_ids: tuple[int, ...]
    arms: Mapping[str, ScoredArm]

    def __getitem__(self, name: str) -> ScoredArm:
        return self.arms[name]

    @property
    def baseline(self) -> ScoredArm:
        """The arm without interventions."""
        return self.arms[BASELINE]

    @property
    def steered(self) -> ScoredArm:
        """The arm of the single intervention given. Raises KeyError when arms were given."""
        return self.arms[STEERED]

    def __repr__(self) -> str:
        from steer.client.display import scores_as_text

        return scores_as_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, with the total of each arm in nats."""
        arms = {name: {**asdict(arm), "total": arm.total} for name, arm in self.arms.items()}
        return {
            "started": _plain(asdict(self.started)),
            "token_ids": list(self.token_ids),
            "arms": _plain(arms),
        }


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Tokens of a prompt: ids, each as text, and which are special."""

    token_ids: tuple[int, ...]
    pieces: tuple[str, ...]
    special: tuple[bool, ...]


def _record(row: Row) -> dict[str, Any]:
    measured = row.measurement
    return {
        "arm": row.arm,
        "sample": row.sample,
        "text": row.text,
        "tokens": len(row.token_ids),
        "finish_reason": row.finish_reason.value,
        "first_divergence": measured.first_divergence if measured else None,
        "mean_kl": measured.mean_kl if measured else None,
        "tokens_touched": sum(receipt.tokens for receipt in row.receipts),
    }


def _plain(value: Any) -> Any:
    """The same as JSON has it: lists, texts as keys, None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.value if hasattr(value, "value") else value
