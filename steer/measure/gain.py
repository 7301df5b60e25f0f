"""Information gain: how much likelier traces make a reference continuation. Needs no verifier."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from steer.measure.bootstrap import Ints
from steer.measure.means import Mean, mean

_BIT = math.log(2)


@dataclass(frozen=True, slots=True)
class GainRecord:
    """The reference continuation of one item under one arm, after each of G traces.

    ``nothink``: its log-probability under the unsteered model without a trace, ``think``: under the
    arm after each trace; nats, over all its ``tokens`` (1 or more).
    """

    arm: str
    item: str
    template: str
    tokens: int
    nothink: float
    think: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the names of the fields."""
        return {**asdict(self), "think": list(self.think)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "GainRecord":
        """The inverse of ``to_dict``. Raises ValueError when a field is missing or unknown."""
        names = {field.name for field in fields(cls)}
        if odd := names ^ values.keys():
            raise ValueError(f"not a record: missing or unknown fields {sorted(odd)}")
        return cls(**{**values, "think": tuple(values["think"])})


@dataclass(frozen=True, slots=True)
class ItemGain:
    """Information gain of one item, nats over the whole continuation: the mean over traces, of the
    best one, and of the traces' mixture; mean <= mixture <= best."""

    mean: float
    best: float
    mixture: float


def item_gain(nothink: float, think: Sequence[float]) -> ItemGain:
    """IG_i = log p(y | x, trace_i) - log p₀(y | x); log-probabilities of all of y, nats.

    The mixture is log (1/G)Σ_i p(y | x, trace_i) - log p₀(y | x), of which the mean is a lower
    bound (Jensen; RLP's proposition 2). Raises ValueError without a trace. Source: A. Hatamizadeh
    et al., "RLP: Reinforcement as a Pretraining Objective", arXiv 2510.01265, with the unsteered
    model that does not think in place of the average of past weights, which is for training only.
    """
    if not think:
        raise ValueError("no trace")
    best = max(think)
    inside = math.fsum(math.exp(one - best) for one in think) / len(think)
    return ItemGain(
        math.fsum(think) / len(think) - nothink, best - nothink, best + math.log(inside) - nothink
    )


@dataclass(frozen=True, slots=True)
class Gain:
    """Information gain over items in both units, with 95 % t intervals."""

    nats_per_token: Mean
    bits_per_answer: Mean


@dataclass(frozen=True, slots=True)
class ArmGain:
    """Information gain of one arm. ``traces``: the fewest an item has."""

    arm: str
    items: int
    traces: int
    mean: Gain
    best: Gain
    mixture: Gain


def arm_gains(records: Sequence[GainRecord]) -> tuple[ArmGain, ...]:
    """Of each arm, in the order they come; comparable only between equal tokenizers, but for bits.

    Raises ValueError for an item without a trace or a token.
    """
    arms: dict[str, list[GainRecord]] = {}
    for record in records:
        arms.setdefault(record.arm, []).append(record)
    return tuple(_arm_gain(arm, of) for arm, of in arms.items())


def _arm_gain(arm: str, records: Sequence[GainRecord]) -> ArmGain:
    gains = [item_gain(record.nothink, record.think) for record in records]
    tokens = [record.tokens for record in records]
    if min(tokens) < 1:
        raise ValueError(f"arm {arm!r} has an item without tokens")
    names = [record.template or (record.item,) for record in records]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    clusters = np.array([numbers[name] for name in names], dtype=np.int64)

    def both(values: Sequence[float]) -> Gain:
        return Gain(
            _mean([value / n for value, n in zip(values, tokens, strict=True)], clusters),
            _mean([value / _BIT for value in values], clusters),
        )

    return ArmGain(
        arm,
        len(records),
        min(len(record.think) for record in records),
        both([gain.mean for gain in gains]),
        both([gain.best for gain in gains]),
        both([gain.mixture for gain in gains]),
    )


def _mean(values: Sequence[float], clusters: Ints) -> Mean:
    found = mean(np.array(values, dtype=float), clusters)
    assert found is not None  # there is an item
    return found


def cross_entropy(target: Sequence[float], logprobs: Sequence[float]) -> float:
    """-Σ p*·log q, nats, of a distribution over answers and log-probabilities of the same."""
    return -math.fsum(p * q for p, q in zip(target, logprobs, strict=True) if p)


def proposition_1(
    target: Sequence[float], think: Sequence[float], nothink: Sequence[float]
) -> tuple[float, float]:
    """Both sides of RLP's proposition 1, nats; they are equal, whatever the distributions.

    Left: the information gain expected when the answer is drawn from ``target``, one answer after
    the other. Right: how much lower the cross-entropy to ``target`` is with the trace than without.
    ``think`` and ``nothink``: log-probabilities of all answers. That they agree says that scores
    were taken of the same answers under the right models; it says nothing about reasoning.
    """
    gains = (
        item_gain(without, [with_]).mean for with_, without in zip(think, nothink, strict=True)
    )
    left = math.fsum(p * gain for p, gain in zip(target, gains, strict=True) if p)
    return left, cross_entropy(target, nothink) - cross_entropy(target, think)
