"""Attention over slots, plugged into transformers by its public attention interface.

The model hands over flat queries (1, heads, tokens, head_dim); keys and values come from the
rectangle. Which step is under way is ambient, because the models pass extra arguments unevenly.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from steer.engine.embedded.kv import KV
from steer.engine.embedded.step import NO_WINDOW, Group, Step, pad
from steer.errors import FailedPrecondition

NAME = "steer"

_ambient = local()


class SlotCache:
    """What the model calls its cache during a step: writes go to the rectangle."""

    def __init__(self, kv: KV, step: Step) -> None:
        self._kv, self._step = kv, step

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_args: Any, **_kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Store this step's keys and values, (1, heads, tokens, head_dim); return the buffers."""
        index = self._step.on(keys.device).kv_index
        k, v = (tensor[0].transpose(0, 1)[: len(index)] for tensor in (keys, values))
        self._kv.write(layer, k, v, index)
        stored = self._kv.layers[layer]
        return stored.keys, stored.values

    def get_seq_length(self, _layer: int = 0) -> int:
        """0: positions are always given explicitly."""
        return 0


@contextmanager
def during(step: Step) -> Iterator[None]:
    """Make ``step`` the one that attention reads."""
    _ambient.step = step
    try:
        yield
    finally:
        del _ambient.step


def attend(
    module: nn.Module,
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention of transformers' interface. Returns (1, tokens, heads, head_dim)."""
    if kwargs.get("s_aux") is not None:
        raise FailedPrecondition("attention sinks (s_aux) are not supported")
    step: Step = _ambient.step.on(query.device)
    flat = query[0].transpose(0, 1)
    window = sliding_window or NO_WINDOW
    outputs = [
        (group, _group(group, flat, keys, values, scaling, window, softcap))
        for group in step.groups
    ]
    _, first = outputs[0]
    if len(outputs) == 1 and outputs[0][0].dense and len(first) == len(flat):
        return first[None], None
    result = flat.new_zeros(*flat.shape[:2], values.shape[-1])
    for group, output in outputs:
        if group.kept is None or group.tokens is None:
            result[: output.shape[0]] = output
        else:
            result.index_copy_(0, group.tokens, output.index_select(0, group.kept))
    return result[None], None


def _group(
    group: Group,
    flat: Tensor,
    keys: Tensor,
    values: Tensor,
    scaling: float | None,
    window: int,
    softcap: float | None,
) -> Tensor:
    heads, key_heads = flat.shape[1], keys.shape[2]
    shared = heads // key_heads
    k, v = (_read(group, buffer) for buffer in (keys, values))
    queries = flat[: group.rows] if group.dense else flat.index_select(0, group.gather)
    # Query heads that share a key head become extra queries: no key is ever repeated.
    if group.width == 1:
        q = queries.view(group.rows, key_heads, shared, -1)
    else:
        q = queries.view(group.rows, group.width, key_heads, shared, -1).permute(0, 2, 3, 1, 4)
        q = q.reshape(group.rows, key_heads, shared * group.width, -1)
    q = pad(q)
    mask = group.mask(window, shared, q.dtype)
    if softcap is None:
        out = scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scaling)
    else:
        out = _capped(q, k, v, mask, scaling or q.shape[-1] ** -0.5, softcap)
    out = out[:, :, : shared * group.width]
    if group.width > 1:
        out = out.reshape(group.rows, key_heads, shared, group.width, -1).permute(0, 3, 1, 2, 4)
    return out.reshape(group.rows * group.width, heads, -1)


def _read(group: Group, buffer: Tensor) -> Tensor:
    """(rows, key_heads, length, head_dim)."""
    if group.slots is None:
        return buffer[: group.rows, : group.length].transpose(1, 2)
    return buffer[:, : group.length].index_select(0, group.slots).transpose(1, 2)


def _capped(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scaling: float, softcap: float
) -> Tensor:
    """Attention with tanh-capped scores (Gemma 2), which no fused kernel has."""
    scores = torch.tanh(q @ k.transpose(-1, -2) * (scaling / softcap)) * softcap + mask
    return torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype) @ v


AttentionInterface.register(NAME, attend)
