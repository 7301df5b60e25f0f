"""What REINFORCE with a leave-one-out baseline climbs: advantages and log-likelihoods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.difference import evaluating
from steer.elicit.padding import Tokens, pad_left, pad_right, positions
from steer.elicit.steering import steered, untouched
from steer.types import Phase, Site


def advantages(rewards: Tensor) -> Tensor:
    """A_i = r_i - mean of the others in its group. Shape (prompts, group), group at least 2."""
    group = rewards.shape[1]
    return (rewards - rewards.mean(1, keepdim=True)) * group / (group - 1)


def log_likelihood(
    model: PreTrainedModel,
    prompts: Sequence[Tokens],
    completions: Sequence[Tokens],
    vectors: Mapping[Site, Tensor],
    temperature: float = 1.0,
    *,
    phase: Phase = Phase.DECODE,
) -> Tensor:
    """log p(completion | prompt) in nats under the steered policy: float32 (prompts,).

    Differentiable in the vectors. temperature: above 0, that of the sampling. phase: `decode`, or
    `all` to steer the prompts too.
    """
    scores, answers, attended = predictions(
        model, prompts, completions, vectors, temperature, phase
    )
    chosen = scores.gather(-1, answers[..., None])[..., 0]
    total: Tensor = (chosen * attended).sum(1)
    return total


def predictions(
    model: PreTrainedModel,
    prompts: Sequence[Tokens],
    completions: Sequence[Tokens],
    vectors: Mapping[Site, Tensor],
    temperature: float,
    phase: Phase,
) -> tuple[Tensor, Tensor, Tensor]:
    """What the steered policy predicts of each completion, padded on the right: log-probabilities
    (prompts, tokens, words), the tokens that come, and 1 where there is one."""
    ids, mask = pad_left(prompts)
    answers, attended = pad_right(completions)
    width, device = ids.shape[1], model.device
    mask = torch.cat((mask, attended), 1)
    with evaluating(model), steered(model, vectors) as steering:
        steering.skip = untouched(width, phase)
        logits = model(
            input_ids=torch.cat((ids, answers), 1).to(device),
            attention_mask=mask.to(device),
            position_ids=positions(mask).to(device),
            use_cache=False,
        ).logits
    scores = (logits[:, width - 1 : -1].float() / temperature).log_softmax(-1)
    return scores, answers.to(device), attended.to(device)
