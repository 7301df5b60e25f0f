"""Whole encoders of dictionaries on the device: for top-k, which must see all latents, and for
reading out features. Everything else gathers the few rows it needs from the bank."""

import warnings
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from steer.intervene.latents import best, gated
from steer.store import Dictionary

MOST = 4
"""Encoders kept on a device; the least recently used goes first."""
_TOKENS, _VALUES = 64, 1 << 22
_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Encoder:
    """``weight`` (d_sae, d_model); ``params`` (d_sae, 4) as ``latents.gated`` wants them."""

    weight: Tensor
    params: Tensor
    k: int | None

    def split(self, x: Tensor) -> tuple[Tensor, ...]:
        """Tokens in parts of which the activations can be held."""
        return torch.split(x, max(1, min(_TOKENS, _VALUES // len(self.weight))))

    def pre(self, x: Tensor) -> Tensor:
        """x·e of all latents, (n, d_sae)."""
        return x @ self.weight.T

    def kept(self, pre: Tensor) -> Tensor:
        """Which latents take part, (n, d_sae) boolean."""
        if self.k is None:
            return torch.ones_like(pre, dtype=torch.bool)
        return best(pre + self.params[:, 0], self.k)

    def activations(self, x: Tensor) -> Tensor:
        """Activations of all latents, (n, d_sae)."""
        pre = self.pre(x)
        found = gated(pre, self.params)
        return found if self.k is None else torch.where(self.kept(pre), found, 0.0)


class Encoders:
    """Encoders of one device, by content."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._held: OrderedDict[str, Encoder] = OrderedDict()

    def get(self, dictionary: Dictionary) -> Encoder:
        """The whole encoder of a dictionary."""
        key = dictionary.content_hash
        if key not in self._held:
            self._held[key] = self._load(dictionary)
        self._held.move_to_end(key)
        while len(self._held) > MOST:
            self._held.popitem(last=False)
        return self._held[key]

    def chosen(self, dictionary: Dictionary, x: Tensor) -> Tensor:
        """Which latents a top-k dictionary keeps, (n, d_sae) boolean; a few tokens at a time."""
        encoder = self.get(dictionary)
        return torch.cat([encoder.kept(encoder.pre(part)) for part in encoder.split(x)])

    def activations(self, dictionary: Dictionary, x: Tensor) -> Iterator[Tensor]:
        """Activations of all latents, (some tokens, d_sae) at a time."""
        encoder = self.get(dictionary)
        return (encoder.activations(part) for part in encoder.split(x))

    def _load(self, dictionary: Dictionary) -> Encoder:
        with warnings.catch_warnings():
            # Mapped from a file and read only: nothing here writes to it.
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            weight = torch.from_numpy(dictionary.tensors["encoder"]).to(self._device)
        spec = dictionary.spec
        numbers = [
            torch.from_numpy(dictionary.numbers(slice(start, start + _ROWS)))
            for start in range(0, spec.d_sae, _ROWS)
        ]
        return Encoder(weight, torch.cat(numbers).to(self._device), spec.k)
