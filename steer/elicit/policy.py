"""A model with vectors added: what it predicts, differentiable in the vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.activations import evaluating
from steer.elicit.rows import Batch
from steer.intervene.sites import Visit, visiting
from steer.types import Site

ACTIVATIONS = 40
"""Numbers that a block keeps for the gradient, as a multiple of its width: rather more."""
SCORES = 8
"""The same of the predictions, as a multiple of the vocabulary."""
LEAST = -1e4
"""Log-probabilities are not taken to be lower, nats."""
LEAST_BYTES = 2**30
"""Memory that a pass may take at least."""


def scores(
    model: PreTrainedModel, batch: Batch, vectors: Mapping[Site, Tensor], temperature: float = 1.0
) -> Tensor:
    """Log-probabilities (rows, longest completion, vocabulary) of the tokens to be predicted, with
    h + touched·v at each site; float32, at a temperature above 0."""
    with evaluating(model), adding(model, vectors, batch.touched):
        logits = model(
            input_ids=batch.ids.to(model.device),
            attention_mask=batch.mask.to(model.device),
            position_ids=batch.places.to(model.device),
            use_cache=False,
            logits_to_keep=batch.targets.shape[1] + 1,
        ).logits
    predicted: Tensor = (logits[:, :-1].float() / temperature).log_softmax(-1)
    # Tokens that a model rules out altogether would make a KL undefined.
    return predicted.clamp(min=LEAST)


@contextmanager
def adding(
    model: PreTrainedModel, vectors: Mapping[Site, Tensor], touched: Tensor
) -> Iterator[None]:
    """Add touched·v, (rows, columns) and (d_model,), in float32 to the activation at each site.
    Positions that are not touched keep every bit."""
    visits: dict[Site, Visit] = {
        at: partial(_add, vector=vector, touched=touched) for at, vector in vectors.items()
    }
    with visiting(model, visits):
        yield


@contextmanager
def frozen(model: PreTrainedModel) -> Iterator[None]:
    """No parameter of the model takes a gradient inside the block; put back afterwards."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in trained:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def room(model: PreTrainedModel) -> int:
    """Tokens, padding included, whose gradients a pass has memory for. On the CPU it depends on the
    model alone, so that a run that goes on elsewhere splits its batches as before."""
    config: Any = model.config.get_text_config()
    wide = ACTIVATIONS * config.hidden_size * config.num_hidden_layers
    each = 4 * (wide + SCORES * config.vocab_size)
    free: int = LEAST_BYTES
    if model.device.type == "cuda":
        free = max(free, torch.cuda.mem_get_info(model.device)[0] // 2)
    return max(1, int(free // each))


def end_token(model: PreTrainedModel) -> int | None:
    """The token that ends a text, by the model's own generation configuration."""
    ends = (model.generation_config or model.config).eos_token_id
    if isinstance(ends, list):
        return int(ends[0]) if ends else None
    return None if ends is None else int(ends)


def _add(hidden: Tensor, vector: Tensor, touched: Tensor) -> None:
    change = touched.to(hidden.device)[..., None] * vector.to(hidden.device)
    hidden.copy_((hidden.float() + change).to(hidden.dtype))
