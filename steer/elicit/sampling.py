"""Completions of a model whose answers are steered: greedy, or sampled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.activations import evaluating
from steer.elicit.padding import Tokens, pad_left, positions
from steer.elicit.steering import Steering, steered, untouched
from steer.types import Phase, Site


def complete(
    model: PreTrainedModel,
    prompts: Sequence[Tokens],
    vectors: Mapping[Site, Tensor],
    *,
    max_tokens: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    phase: Phase = Phase.DECODE,
    bias: Mapping[int, float] = MappingProxyType({}),
) -> list[list[int]]:
    """Completions with h + v_l at every position that predicts a generated token.

    prompts: token ids of any lengths of at least one. vectors: (d_model,) by site; empty means
    unsteered. temperature: 0 is greedy. phase: `decode`, or `all` to steer the prompts too. bias:
    added to the logits of token ids (nats). Each completion ends with its end-of-sequence token,
    or after `max_tokens`.
    """
    ids, mask = pad_left(prompts)
    with torch.no_grad(), evaluating(model), steered(model, vectors) as steering:
        steering.skip = untouched(ids.shape[1], phase)
        pick = partial(_pick, temperature=temperature, generator=generator, bias=bias)
        columns = _sample(model, ids, mask, steering, max_tokens, pick)
    ends = end_tokens(model)
    return [_until(row, ends) for row in torch.stack(columns, 1).tolist()]


def end_tokens(model: PreTrainedModel) -> frozenset[int]:
    """The model's end-of-sequence tokens; empty when it declares none."""
    config = model.generation_config or model.config
    ends = config.eos_token_id
    return frozenset(() if ends is None else [ends] if isinstance(ends, int) else ends)


def _sample(
    model: PreTrainedModel,
    ids: Tensor,
    mask: Tensor,
    steering: Steering,
    max_tokens: int,
    pick: Callable[[Tensor], Tensor],
) -> list[Tensor]:
    device, cache, columns = model.device, None, list[Tensor]()
    ids, mask, place = ids.to(device), mask.to(device), positions(mask).to(device)
    ends = torch.tensor(sorted(end_tokens(model)), device=device)
    done = torch.zeros(len(ids), dtype=torch.bool, device=device)
    while len(columns) < max_tokens and not done.all():
        out = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=place,
            past_key_values=cache,
            use_cache=True,
        )
        token = pick(out.logits[:, -1].float())
        columns.append(token.cpu())
        done |= torch.isin(token, ends)
        cache, ids, place, steering.skip = out.past_key_values, token[:, None], place[:, -1:] + 1, 0
        mask = torch.cat((mask, torch.ones_like(ids)), 1)
    return columns


def _pick(
    logits: Tensor,
    temperature: float,
    generator: torch.Generator | None,
    bias: Mapping[int, float],
) -> Tensor:
    for token, size in bias.items():
        logits[:, token] += size
    if temperature == 0:
        return logits.argmax(-1)
    return torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)[:, 0]


def _until(row: list[int], ends: frozenset[int]) -> list[int]:
    stop = next((i for i, token in enumerate(row) if token in ends), len(row))
    return row[: stop + 1]
