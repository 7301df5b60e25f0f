"""Token sequences of different lengths as one batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Tokens = Sequence[int]


def pad_right(sequences: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, int64 (sequences, longest); padding is id 0, masked out."""
    rows = [torch.tensor(list(sequence), dtype=torch.long) for sequence in sequences]
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    return ids, (torch.arange(ids.shape[1]) < lengths[:, None]).long()


def pad_left(sequences: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
    """Like `pad_right`, with the padding in front: every sequence ends in the last column."""
    ids, mask = pad_right([list(reversed(sequence)) for sequence in sequences])
    return ids.flip(1), mask.flip(1)


def positions(mask: Tensor) -> Tensor:
    """Position ids that count attended tokens only; padded columns get 0. Shape of `mask`."""
    return (mask.cumsum(1) - 1).clamp(min=0)
