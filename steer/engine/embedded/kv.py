"""Key-value memory: one rectangle of slots × positions for each layer.

Rows live in slots 0 … n-1 without holes, so that attention over all rows reads one contiguous
view and nothing is gathered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class LayerKV:
    """Keys and values of one layer, each (slots, positions, heads, head_dim)."""

    keys: Tensor
    values: Tensor

    def tensors(self) -> tuple[Tensor, Tensor]:
        """Both, for what is done to both alike."""
        return self.keys, self.values


@dataclass
class KV:
    """The rectangle of every layer. Buffers take shape, dtype and device from what is written."""

    slots: int = 0
    positions: int = 0
    layers: dict[int, LayerKV] = field(default_factory=dict)

    def write(self, layer: int, keys: Tensor, values: Tensor, index: Tensor) -> None:
        """Store new keys and values, (tokens, heads, head_dim), at flat indices
        ``slot * positions + position``."""
        if layer not in self.layers:
            self.layers[layer] = LayerKV(self._empty(keys), self._empty(values))
        for buffer, new in zip(self.layers[layer].tensors(), (keys, values), strict=True):
            buffer.view(-1, *new.shape[1:]).index_copy_(0, index, new)

    def copy(self, source: int, targets: Sequence[int], length: int) -> None:
        """Copy the first ``length`` positions of a slot to others."""
        if not targets or not length:
            return
        for layer in self.layers.values():
            for buffer in layer.tensors():
                # Slices, because indexing by a list would gather the whole slot first.
                for target in targets:
                    buffer[target, :length] = buffer[source, :length]

    def clear(self, slot: int) -> None:
        """Zero a slot. Needed after non-finite values: 0 · NaN would reach the next row there."""
        for layer in self.layers.values():
            for buffer in layer.tensors():
                buffer[slot].zero_()

    def resize(self, slots: int, positions: int, live: int) -> None:
        """Change the rectangle, keeping the first ``live`` slots. One layer at a time, so that
        the peak is one layer above the larger size.

        Where that fails nothing is kept, and there is no rectangle.
        """
        kept = min(positions, self.positions)
        self.slots, self.positions = slots, positions
        try:
            for layer in self.layers.values():
                layer.keys = self._moved(layer.keys, live, kept)
                layer.values = self._moved(layer.values, live, kept)
        except BaseException:
            self.slots = self.positions = 0
            self.layers.clear()
            raise

    def _empty(self, like: Tensor) -> Tensor:
        # Zeros, not empty: masked positions still enter as 0 · value.
        shape = (self.slots, self.positions, *like.shape[1:])
        return torch.zeros(shape, dtype=like.dtype, device=like.device)

    def _moved(self, old: Tensor, live: int, kept: int) -> Tensor:
        new = self._empty(old[0])
        new[:live, :kept] = old[:live, :kept]
        return new
