"""Choosing tokens: every row by its own settings, all rows at once.

A row's choice depends on its logits, its settings and its uniform number alone, never on its
neighbours: filters are exact no-ops for rows that do not use them.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from steer.types import Alternative, Sampling


@dataclass(frozen=True)
class Draw:
    """What one row wants of one row of logits. ``uniform`` in [0, 1). ``context``: tokens so far,
    read only when there is a repetition penalty. ``place``: how many tokens are to be more likely
    than the one that is chosen; 0 but where a branch begins."""

    sampling: Sampling
    uniform: float
    banned: Set[int]
    context: Sequence[int]
    place: int = 0


def uniforms(seed: int, sample: int, count: int) -> list[float]:
    """Uniform numbers of steps 0 … count-1 of a sample; the same in every arm.

    Philox with (seed, sample) as its key is counter-based: a number depends on nothing else.
    """
    key = np.array([seed, sample], np.uint64)
    draws: list[float] = np.random.Generator(np.random.Philox(key=key)).random(count).tolist()
    return draws


def bias(logits: Tensor, biases: Sequence[Mapping[int, float]]) -> Tensor:
    """Logits (n, vocab) with each row's biases added; the same tensor when there are none."""
    if not any(biases):
        return logits
    rows = [row for row, given in enumerate(biases) for _ in given]
    tokens = [token for given in biases for token in given]
    values = [value for given in biases for value in given.values()]
    device = logits.device
    index = (torch.tensor(rows, device=device), torch.tensor(tokens, device=device))
    added = torch.tensor(values, device=device, dtype=logits.dtype)
    return logits.index_put(index, added, accumulate=True)


def choose(logits: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Token ids (n,) for float32 logits (n, vocab)."""
    logits = _process(logits, draws)
    tokens = logits.argmax(-1)
    hot = [row for row, draw in enumerate(draws) if draw.sampling.temperature > 0]
    if hot:
        index = torch.tensor(hot, device=logits.device)
        chosen = _sample(logits.index_select(0, index), [draws[row] for row in hot])
        tokens.index_copy_(0, index, chosen)
    later = [row for row, draw in enumerate(draws) if draw.place]
    if later:
        index = torch.tensor(later, device=logits.device)
        first = tokens.index_select(0, index)
        places = [draws[row].place for row in later]
        tokens.index_copy_(0, index, _less_likely(logits.index_select(0, index), first, places))
    return tokens


def _less_likely(logits: Tensor, first: Tensor, places: Sequence[int]) -> Tensor:
    """The token at each place (1, 2, …) behind the ``first`` (n,), which is the most likely."""
    # Masked and not skipped: of equals, topk may put another first than argmax does.
    others = logits.scatter(-1, first[:, None], float("-inf"))
    order = others.topk(max(places), dim=-1).indices
    place = torch.tensor(places, device=logits.device)[:, None] - 1
    return order.gather(-1, place)[:, 0]


def top(logprobs: Tensor, count: int) -> list[tuple[Alternative, ...]]:
    """The ``count`` most likely tokens of each row of log-probabilities (n, vocab)."""
    best = logprobs.topk(min(count, logprobs.shape[-1]), dim=-1)
    return [
        tuple(Alternative(token, value) for token, value in zip(tokens, values, strict=True))
        for tokens, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def _process(logits: Tensor, draws: Sequence[Draw]) -> Tensor:
    logits = bias(logits, [draw.sampling.logit_bias for draw in draws])
    logits = bias(logits, [dict.fromkeys(draw.banned, float("-inf")) for draw in draws])
    for row, draw in enumerate(draws):
        if draw.sampling.repetition_penalty != 1.0:
            logits = _penalised(logits, row, draw)
    return logits


def _penalised(logits: Tensor, row: int, draw: Draw) -> Tensor:
    # CTRL (arXiv 1909.05858): divide positive logits, multiply negative ones.
    seen = torch.tensor(sorted(set(draw.context)), device=logits.device)
    values, penalty = logits[row, seen], draw.sampling.repetition_penalty
    logits = logits.clone()
    changed = torch.where(values > 0, values / penalty, values * penalty)
    limits = torch.finfo(logits.dtype)
    logits[row, seen] = changed.clamp(limits.min, limits.max)
    return logits


def _sample(logits: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Inverse of the cumulative distribution over token ids, after filtering."""

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=logits.device)[:, None]

    settings = [draw.sampling for draw in draws]
    # Below the maximum, so that no temperature however small overflows.
    below = (logits - logits.amax(-1, keepdim=True)).double()
    scaled = below / column([s.temperature for s in settings])
    scaled = _top_k(scaled, [s.top_k for s in settings])
    probabilities = torch.softmax(scaled, -1)
    probabilities = _top_p(probabilities, column([s.top_p for s in settings]))
    floor = column([s.min_p for s in settings]) * probabilities.amax(-1, keepdim=True)
    probabilities = torch.where(probabilities < floor, 0.0, probabilities)
    cumulative = probabilities.cumsum(-1)
    wanted = column([draw.uniform for draw in draws]) * cumulative[:, -1:]
    chosen = torch.searchsorted(cumulative, wanted, right=True)[:, 0]
    return chosen.clamp_max(logits.shape[-1] - 1)


def _top_k(logits: Tensor, counts: Sequence[int]) -> Tensor:
    vocab = logits.shape[-1]
    kept = [min(count, vocab) if count else vocab for count in counts]
    if min(kept) == vocab:
        return logits
    largest = max(count for count in kept if count < vocab)
    values = logits.topk(largest, dim=-1).values
    index = torch.tensor([min(count, largest) - 1 for count in kept], device=logits.device)
    floor = values.gather(-1, index[:, None])
    limited = torch.tensor([count < vocab for count in kept], device=logits.device)[:, None]
    return torch.where(limited & (logits < floor), float("-inf"), logits)


def _top_p(probabilities: Tensor, mass: Tensor) -> Tensor:
    if bool((mass >= 1).all()):
        return probabilities
    ordered, index = probabilities.sort(dim=-1, descending=True, stable=True)
    beyond = ordered.cumsum(-1) - ordered >= mass
    dropped = torch.zeros_like(beyond).scatter(-1, index, beyond) & (mass < 1)
    return torch.where(dropped, 0.0, probabilities)
