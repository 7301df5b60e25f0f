"""Prompts with what follows them, as batches: what a steered model is trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import torch
from torch import Tensor

from steer.elicit.padding import Tokens, pad_left, positions
from steer.intervene.where import Cursor
from steer.types import Where


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt and what follows it, token ids, neither empty. ``touched``: for each token of both
    together how much of a vector is added there."""

    prompt: Tokens
    completion: Tokens
    touched: Sequence[float]

    @classmethod
    def of(cls, prompt: Tokens, completion: Tokens, where: Where, special: AbstractSet[int]) -> Row:
        """A row that is touched as the engine does; ``special``: ids of special tokens."""
        touched = Cursor(where, len(prompt), special).take(0, (*prompt, *completion))
        return cls(prompt, completion, touched)

    @property
    def tokens(self) -> Tokens:
        """All of it."""
        return (*self.prompt, *self.completion)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows padded on the left, so that all end in the last column. Shapes: ``ids``, ``mask``,
    ``places`` and ``touched`` (rows, columns); ``targets`` and ``counts`` (rows, longest
    completion): the tokens that are predicted, and 1 where there is one."""

    ids: Tensor
    mask: Tensor
    places: Tensor
    touched: Tensor
    targets: Tensor
    counts: Tensor

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Batch:
        """At least one row."""
        ids, mask = pad_left([row.tokens for row in rows])
        longest = max(len(row.completion) for row in rows)
        touched = torch.zeros(ids.shape)
        counts = torch.zeros(len(rows), longest)
        for i, row in enumerate(rows):
            touched[i, ids.shape[1] - len(row.touched) :] = torch.tensor(row.touched)
            counts[i, -len(row.completion) :] = 1
        return cls(ids, mask, positions(mask), touched, ids[:, -longest:], counts)


def in_pieces(rows: Sequence[Row], tokens: int) -> Iterator[slice]:
    """Slices of rows, in order, that fill at most so many tokens with their padding; a row alone
    where it is longer."""
    begin, width = 0, 0
    for end, row in enumerate(rows):
        wider = max(width, len(row.tokens))
        if end > begin and wider * (end + 1 - begin) > tokens:
            yield slice(begin, end)
            begin, wider = end, len(row.tokens)
        width = wider
    if begin < len(rows):
        yield slice(begin, len(rows))
