"""Activations of a model of transformers, read apart from the engine: what the bundled vectors are
made and measured with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.padding import Tokens, pad_right, positions
from steer.elicit.within import Array as Array
from steer.errors import InvalidRequest
from steer.intervene.sites import Visit, blocks, visiting
from steer.types import Site


def residuals(
    model: PreTrainedModel,
    sequences: Sequence[Tokens],
    sites: Sequence[Site],
    *,
    starts: Sequence[int] | None = None,
    batch: int = 64,
) -> dict[Site, Array]:
    """Residual stream at each of `sites`: float32 (tokens, d_model), rows in order.

    starts: first position kept of each sequence, all later ones are kept too; by default only
    the last token is. Dropout is off, and nothing of the model is changed.
    Raises InvalidRequest for an empty sequence or a layer the model does not have.
    """
    if not all(sequences):
        raise InvalidRequest("a sequence is empty")
    starts = [len(sequence) - 1 for sequence in sequences] if starts is None else starts
    kept: dict[Site, list[Tensor]] = {at: [] for at in sites}
    rows = iter(zip(sequences, starts, strict=True))
    while chunk := list(islice(rows, batch)):
        ids, mask = pad_right([sequence for sequence, _ in chunk])
        for at, hidden in _forward(model, ids, mask, sites).items():
            kept[at] += [
                hidden[i, start : len(sequence)] for i, (sequence, start) in enumerate(chunk)
            ]
    return {at: torch.cat(parts).numpy() for at, parts in kept.items()}


def mean_norm(hidden: Array) -> float:
    """Mean Euclidean norm of the rows of `hidden`, (tokens, d_model)."""
    return float(np.linalg.norm(hidden.astype(np.float64), axis=1).mean())


def checked(model: PreTrainedModel, at: Site) -> Site:
    """The site itself. Raises InvalidRequest when the model has no such layer."""
    count = len(blocks(model))
    if not 0 <= at.layer < count:
        raise InvalidRequest(f"layer {at.layer}: the model has layers 0 to {count - 1}")
    return at


@contextmanager
def evaluating(model: PreTrainedModel) -> Iterator[None]:
    """Dropout off inside the block; the training flag is put back afterwards."""
    was = model.training
    model.train(False)
    try:
        yield
    finally:
        model.train(was)


# Hooks and not `output_hidden_states`: the last of those is taken after the final norm.
@torch.no_grad()
def _forward(
    model: PreTrainedModel, ids: Tensor, mask: Tensor, sites: Sequence[Site]
) -> dict[Site, Tensor]:
    seen: dict[Site, Tensor] = {}
    visits: dict[Site, Visit] = {checked(model, at): partial(_keep, seen, at) for at in sites}
    with visiting(model, visits), evaluating(model):
        model(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            position_ids=positions(mask).to(model.device),
            use_cache=False,
        )
    return seen


def _keep(seen: dict[Site, Tensor], at: Site, hidden: Tensor) -> None:
    # Cloned, because the model goes on with this very tensor.
    seen[at] = hidden.detach().to("cpu", torch.float32, copy=True)
