"""Ops: pure functions on float32 activations. Adding one is a function and a row of ``OPS``."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

OpFunction = Callable[[Tensor, Tensor, Tensor], Tensor]


def add(h: Tensor, v: Tensor, params: Tensor) -> Tensor:
    """h + s·v.

    Shapes: ``h`` and ``v`` (n, d_model); ``params`` (n, 1) holds s. Returns (n, d_model).
    """
    return torch.addcmul(h, v, params)


def project(h: Tensor, v: Tensor, params: Tensor) -> Tensor:
    """h + s·(clip(h·v, low, high) - h·v)·v with v of unit norm.

    Shapes: ``h`` and ``v`` (n, d_model); ``params`` (n, 3) holds s, low, high. Returns
    (n, d_model). Where h·v already lies in the interval the result is h, bit for bit.
    """
    s, low, high = params.unbind(-1)
    component = (h * v).sum(-1)
    change = s * (torch.clamp(component, low, high) - component)
    return torch.addcmul(h, v, change.unsqueeze(-1))


def keep_norm(before: Tensor, after: Tensor) -> Tensor:
    """``after`` rescaled to the norm of ``before``, token by token. Shapes (n, d_model)."""
    norm = torch.linalg.vector_norm
    old, new = norm(before, dim=-1, keepdim=True), norm(after, dim=-1, keepdim=True)
    return torch.where(new > 0, after * (old / new.clamp_min(torch.finfo(new.dtype).tiny)), after)


@dataclass(frozen=True, slots=True)
class OpSpec:
    """A function and whether it wants the direction at unit norm."""

    apply: OpFunction
    unit: bool


OPS: dict[str, OpSpec] = {
    "add": OpSpec(add, unit=False),
    "project": OpSpec(project, unit=True),
}
