"""What interventions do and gates read, from the definitions, in float64.

Written apart from ``steer.intervene``: other bases, whole codes, no folding.
Shapes: ``h`` (n, d), strengths ``s`` (n,), directions (d,).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from steer.store import Architecture, Dictionary, Normalize

Formula = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(h, h before any intervention at the site, strengths) → h afterwards."""


def double(array: object) -> Tensor:
    return torch.tensor(np.asarray(array), dtype=torch.float64)


def unit(v: Tensor) -> Tensor:
    return v / v.norm()


def adding(v: Tensor) -> Formula:
    return lambda h, fresh, s: h + torch.outer(s, v)


def projecting(v: Tensor, low: float, high: float) -> Formula:
    def apply(h: Tensor, fresh: Tensor, s: Tensor) -> Tensor:
        along = h @ unit(v)
        return h + torch.outer(s * (along.clamp(low, high) - along), unit(v))

    return apply


def rotating(v: Tensor, degrees: float) -> Formula:
    """In the plane of v̂ and what Gram-Schmidt leaves of h, in which h has coordinates (a, b):
    a rotation matrix turns them; what is outside of the plane is nothing."""
    first = unit(v)

    def apply(h: Tensor, fresh: Tensor, s: Tensor) -> Tensor:
        a = h @ first
        rest = h - torch.outer(a, first)
        b = rest.norm(dim=-1)
        turn = torch.deg2rad(-s * degrees)  # v̂ is the first axis: towards it is clockwise
        matrix = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], -1).view(-1, 2, 2)
        along, across = (matrix @ torch.stack([a, b], -1)[:, :, None])[:, :, 0].unbind(-1)
        return torch.outer(along, first) + (across / b)[:, None] * rest

    return apply


def low_rank(rotation: Tensor, weight: Tensor, bias: Tensor) -> Formula:
    """ReFT: h + Rᵀ(W h + b - R h); R and W (rank, d)."""

    def apply(h: Tensor, fresh: Tensor, s: Tensor) -> Tensor:
        return h + s[:, None] * ((h @ weight.T + bias - h @ rotation.T) @ rotation)

    return apply


def replacing(source: Tensor, fraction: float) -> Formula:
    """``source`` (d,) or one for each token."""

    def apply(h: Tensor, fresh: Tensor, s: Tensor) -> Tensor:
        share = (s * fraction)[:, None]
        return (1 - share) * h + share * source

    return apply


@dataclass(frozen=True)
class Coder:
    """A dictionary as its paper writes it: the whole code of every token."""

    dictionary: Dictionary

    def tensor(self, name: str) -> Tensor:
        return double(self.dictionary.tensors[name])

    def read(self, h: Tensor) -> Tensor:
        how = self.dictionary.spec.normalize
        if how is Normalize.LAYER_NORM:
            return (h - h.mean(-1, keepdim=True)) / (h.std(-1, keepdim=True) + 1e-5)
        if how is Normalize.CONSTANT_NORM:
            return h * h.shape[-1] ** 0.5 / h.norm(dim=-1, keepdim=True)
        return h

    def written(self, output: Tensor, h: Tensor) -> Tensor:
        """``output`` in the units of h."""
        how = self.dictionary.spec.normalize
        if how is Normalize.LAYER_NORM:
            return output * h.std(-1, keepdim=True) + h.mean(-1, keepdim=True)
        if how is Normalize.CONSTANT_NORM:
            return output * h.norm(dim=-1, keepdim=True) / h.shape[-1] ** 0.5
        return output

    def before_choice(self, h: Tensor) -> Tensor:
        """What decides which latents are active, (n, d_sae)."""
        x = self.read(h)
        if self.dictionary.spec.apply_b_dec_to_input:
            x = x - self.tensor("decoder_bias")
        gated = self.dictionary.spec.architecture is Architecture.GATED
        return x @ self.tensor("encoder").T + self.tensor("gate_bias" if gated else "encoder_bias")

    def encode(self, h: Tensor) -> Tensor:
        """(n, d_sae)."""
        pre, spec = self.before_choice(h), self.dictionary.spec
        match spec.architecture:
            case Architecture.STANDARD:
                return pre.relu()
            case Architecture.JUMPRELU:
                return pre.relu() * (pre > self.tensor("threshold"))
            case Architecture.TOPK:
                assert spec.k is not None
                code = torch.zeros_like(pre)
                order = pre.argsort(-1, descending=True)[:, : spec.k]
                return code.scatter(-1, order, pre.gather(-1, order).relu())
            case Architecture.GATED:
                grown = self.tensor("magnitude_log_scale").exp()[:, None] * self.tensor("encoder")
                x = self.read(h)
                if spec.apply_b_dec_to_input:
                    x = x - self.tensor("decoder_bias")
                return (x @ grown.T + self.tensor("magnitude_bias")).relu() * (pre > 0)

    def decode(self, code: Tensor, h: Tensor) -> Tensor:
        return self.written(code @ self.tensor("decoder") + self.tensor("decoder_bias"), h)

    def edge(self, h: Tensor, latents: Sequence[int]) -> Tensor:
        """How near each token comes to another choice of these latents, (n,)."""
        pre, spec = self.before_choice(h), self.dictionary.spec
        if spec.architecture is Architecture.STANDARD:
            return torch.full((len(h),), torch.inf, dtype=h.dtype)
        limit: Tensor | float = 0.0
        if spec.architecture is Architecture.JUMPRELU:
            limit = self.tensor("threshold")
        if spec.architecture is Architecture.TOPK:
            assert spec.k is not None
            best = pre.sort(-1, descending=True).values
            limit = best[:, spec.k - 1 : spec.k + 1].mean(-1, keepdim=True)
        return (pre - limit)[:, list(latents)].abs().amin(-1)


Target = tuple[int, str, float]
"""A latent, what is done with its activation (set, scale, add), and the number for that."""


def editing(coder: Coder, targets: Sequence[Target]) -> Formula:
    """Encode, edit the code, decode, add what the code had not explained."""

    def apply(h: Tensor, fresh: Tensor, s: Tensor) -> Tensor:
        code = coder.encode(fresh)
        edited = code.clone()
        for latent, how, value in targets:
            now = code[:, latent]
            wanted = {"set": torch.full_like(now, value), "scale": now * value, "add": now + value}
            edited[:, latent] = now + s * (wanted[how] - now)
        error = fresh - coder.decode(code, fresh)
        return h + coder.decode(edited, fresh) + error - fresh

    return apply


def cosine(v: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda h: torch.nn.functional.cosine_similarity(h, v[None], dim=-1)


def probe(weight: Tensor, bias: float) -> Callable[[Tensor], Tensor]:
    return lambda h: 1 / (1 + torch.exp(-(h @ weight + bias)))
