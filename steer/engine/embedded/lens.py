"""The logit lens (nostalgebraist, "interpreting GPT: the logit lens", 2020) of directions."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.engine.base import Lens
from steer.engine.embedded import step
from steer.engine.embedded.forward import forward
from steer.engine.embedded.kv import KV
from steer.engine.rows import round_up
from steer.intervene.operands import Array
from steer.intervene.sites import blocks, visiting
from steer.types import LensToken, Site

_AT_ONCE = 15
"""Directions in one pass. Each is a position, of which small models have few."""


def lens(network: PreTrainedModel, directions: Sequence[Array], count: int) -> tuple[Lens, ...]:
    """The ``count`` tokens that each direction (d_model,) raises most, and lowers most.

    Directions are put in place of what the last block gives
    out, so that the final norm and the unembedding are the model's own, whatever they are; what
    they make of zero is taken off, which a bias would otherwise add to every direction alike.
    """
    found: list[Lens] = []
    for start in range(0, len(directions), _AT_ONCE):
        logits = _logits(network, directions[start : start + _AT_ONCE])
        found += (Lens(_most(row, count, True), _most(row, count, False)) for row in logits)
    return tuple(found)


def _logits(network: PreTrainedModel, directions: Sequence[Array]) -> Tensor:
    """Logits (n, vocab_size) of directions less those of zero; float32."""
    device = next(network.parameters()).device
    size = len(directions) + 1
    rows = torch.zeros(size, len(directions[0]), device=device)
    rows[1:] = torch.stack([torch.tensor(one, device=device) for one in directions])

    def write(hidden: Tensor) -> None:
        hidden[0, :size] = rows.to(hidden)

    positions = round_up(size)
    inputs = step.build([step.Segment(0, 0, (0,) * size)], 1, positions, device)
    with visiting(network, {Site(len(blocks(network)) - 1): write}):
        kept = torch.arange(size, device=device)
        logits = forward(network, KV(1, positions), inputs, kept).float()
    return logits[1:] - logits[0]


def _most(logits: Tensor, count: int, largest: bool) -> tuple[LensToken, ...]:
    values, ids = logits.topk(min(count, len(logits)), largest=largest)
    pairs = zip(ids.tolist(), values.tolist(), strict=True)
    return tuple(LensToken(token, value) for token, value in pairs)
