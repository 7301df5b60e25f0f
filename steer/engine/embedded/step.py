"""The tensors of one forward pass: a flat batch of tokens from rows at different places.

Tokens of all segments stand one after another, (1, tokens), so that every linear layer works on
tokens alone and nothing is padded. Only attention needs rows: it sees them in groups of equal
width, one of single tokens (decode) and one of chunks (prefill).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from steer.engine.rows import round_up

NO_WINDOW = 0


QUERIES = 16
"""Queries of a row are padded to a multiple of this on the CPU in float32. The fused kernel gives
each thread scratch space in proportion; an odd number misaligns it, and then equal rows can differ
in the last bit by which thread computed them."""


def pad(tensor: Tensor) -> Tensor:
    """(rows, heads, queries, …) padded along queries, where that matters."""
    missing = -tensor.shape[2] % QUERIES
    if not missing or tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        return tensor
    return nn.functional.pad(tensor, (0, 0, 0, missing))


VECTOR = 32
"""Elements that elementwise kernels of the CPU take at once."""


def token_multiple(config: Any, device: torch.device) -> int:
    """How many tokens fill whole vectors of the CPU's elementwise kernels, whatever the layer.

    The rest of a tensor goes through scalar code, whose exponentials differ in the last bit; then
    the last row of a batch would differ from its equals. 1 for all but tiny models, and those that
    weigh a shared expert by one number a token.
    """
    if device.type != "cpu":
        return 1
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    experts = getattr(config, "moe_intermediate_size", None) or inner
    shared = 1 if getattr(config, "shared_expert_intermediate_size", None) else inner
    widths = (config.hidden_size, inner, head, experts, shared)
    return math.lcm(*(VECTOR // math.gcd(VECTOR, width) for width in widths))


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive tokens of one row: its slot, the position of the first, the token ids."""

    slot: int
    start: int
    tokens: Sequence[int]


@dataclass
class Group:
    """Rows that attend together, each with up to ``width`` query tokens.

    ``slots``: None means slots 0 … rows-1, read as a view. ``gather`` (rows·width) finds each
    padded place's token; ``kept`` are the places that hold a real token, ``tokens`` where those
    stand in the batch; both None when places and tokens coincide. ``positions`` (rows, width).
    """

    rows: int
    width: int
    length: int
    slots: Tensor | None
    gather: Tensor
    kept: Tensor | None
    tokens: Tensor | None
    positions: Tensor
    masks: dict[tuple[int, int, torch.dtype], Tensor] = field(default_factory=dict)

    @property
    def dense(self) -> bool:
        """Whether its tokens are the first of the batch, in the order of its places."""
        return self.kept is None

    def mask(self, window: int, queries_per_key: int, dtype: torch.dtype) -> Tensor:
        """Additive mask (rows, 1, queries, length); made once for each kind of layer.

        ``queries_per_key`` query heads share a key head and are laid out as extra queries.
        """
        key = (window, queries_per_key, dtype)
        if key not in self.masks:
            self.masks[key] = self._mask(window, queries_per_key, dtype)
        return self.masks[key]

    def _mask(self, window: int, queries_per_key: int, dtype: torch.dtype) -> Tensor:
        query = self.positions[:, None, :, None]
        key = torch.arange(self.length, device=query.device)
        hidden = key > query
        if window != NO_WINDOW:
            hidden |= key <= query - window
        mask = torch.zeros(hidden.shape, dtype=dtype, device=query.device)
        mask.masked_fill_(hidden, float("-inf"))
        if self.width == 1:
            return mask
        return pad(mask.repeat(1, 1, queries_per_key, 1))

    def to(self, device: torch.device) -> "Group":
        """The same group with its tensors on another device."""

        def move(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device)

        return Group(
            self.rows,
            self.width,
            self.length,
            move(self.slots),
            self.gather.to(device),
            move(self.kept),
            move(self.tokens),
            self.positions.to(device),
        )


@dataclass(frozen=True)
class Step:
    """Inputs of one forward pass. ``kv_index``: where each token's key and value are stored; it
    is shorter than ``tokens`` by the padding."""

    tokens: Tensor
    positions: Tensor
    kv_index: Tensor
    groups: tuple[Group, ...]
    elsewhere: dict[torch.device, "Step"] = field(default_factory=dict)

    def on(self, device: torch.device) -> "Step":
        """This step with its tensors on ``device``; made once for each device."""
        if device == self.kv_index.device:
            return self
        if device not in self.elsewhere:
            self.elsewhere[device] = Step(
                self.tokens,
                self.positions,
                self.kv_index.to(device),
                tuple(group.to(device) for group in self.groups),
            )
        return self.elsewhere[device]


def build(
    segments: Sequence[Segment], live: int, positions: int, device: torch.device, multiple: int = 1
) -> Step:
    """Tensors for segments over ``live`` occupied slots of a rectangle ``positions`` long.

    Segments of one token must come first, in slot order. Tokens are padded at the end to a
    multiple of ``multiple`` (see ``token_multiple``); padding stores nothing and attends nowhere.
    """
    tokens = [token for segment in segments for token in segment.tokens]
    places = [s.start + i for s in segments for i in range(len(s.tokens))]
    index = [s.slot * positions + s.start + i for s in segments for i in range(len(s.tokens))]
    padding = [0] * (-len(tokens) % multiple)
    return Step(
        torch.tensor([tokens + padding], device=device),
        torch.tensor([places + padding], device=device),
        torch.tensor(index, device=device),
        tuple(_groups(segments, live, device)),
    )


def _groups(segments: Sequence[Segment], live: int, device: torch.device) -> list[Group]:
    singles = [segment for segment in segments if len(segment.tokens) == 1]
    chunks = [segment for segment in segments if len(segment.tokens) > 1]
    groups = []
    if singles:
        groups.append(_singles(singles, live, device))
    if chunks:
        groups.append(_chunks(chunks, len(singles), device))
    return groups


def _singles(segments: Sequence[Segment], live: int, device: torch.device) -> Group:
    # Slots without a token this step are computed too and dropped: cheaper than a gather.
    gather, positions = [0] * live, [0] * live
    for token, segment in enumerate(segments):
        gather[segment.slot], positions[segment.slot] = token, segment.start
    dense = len(segments) == live
    slots = [segment.slot for segment in segments]
    return Group(
        rows=live,
        width=1,
        length=round_up(1 + max(segment.start for segment in segments)),
        slots=None,
        gather=torch.tensor(gather, device=device),
        kept=None if dense else torch.tensor(slots, device=device),
        tokens=None if dense else torch.arange(len(segments), device=device),
        positions=torch.tensor(positions, device=device)[:, None],
    )


def _chunks(segments: Sequence[Segment], first: int, device: torch.device) -> Group:
    width = max(len(segment.tokens) for segment in segments)
    gather: list[int] = []
    kept: list[int] = []
    tokens: list[int] = []
    positions: list[list[int]] = []
    token = first
    for row, segment in enumerate(segments):
        count = len(segment.tokens)
        gather += [*range(token, token + count), *[token] * (width - count)]
        positions.append([segment.start + min(i, count - 1) for i in range(width)])
        kept += range(row * width, row * width + count)
        tokens += range(token, token + count)
        token += count
    return Group(
        rows=len(segments),
        width=width,
        length=round_up(max(segment.start + len(segment.tokens) for segment in segments)),
        slots=torch.tensor([segment.slot for segment in segments], device=device),
        gather=torch.tensor(gather, device=device),
        kept=torch.tensor(kept, device=device),
        tokens=torch.tensor(tokens, device=device),
        positions=torch.tensor(positions, device=device),
    )
