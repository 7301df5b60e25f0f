"""Ops: pure functions on float32 activations. Adding one is a function and a row of ``OPS``.

Every op gives the *change* of h. It works on n activations at once, each with r rows of the bank
(directions, already at unit norm where the op wants that) and k numbers; the first number is the
coefficient, at which 0 makes the change exactly 0. An op of several components (latents, ranks) is
called with one activation for each component, and the changes are summed.

Shapes: ``h`` (n, d_model), ``rows`` (n, r, d_model), ``params`` (n, k). Returns (n, d_model).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from steer.intervene.latents import activation

Op = Callable[[Tensor, Tensor, Tensor], Tensor]


def add(h: Tensor, rows: Tensor, params: Tensor) -> Tensor:
    """s·v. ``rows``: v. ``params``: s."""
    return rows[:, 0] * params


def project(h: Tensor, rows: Tensor, params: Tensor) -> Tensor:
    """s·(clip(h·v̂, low, high) - h·v̂)·v̂; zero where h·v̂ already lies in the interval.

    ``rows``: v̂ of unit norm. ``params``: s, low, high.
    """
    s, low, high = params.unbind(-1)
    component = _dot(h, rows[:, 0])
    change = s * (torch.clamp(component, low, high) - component)
    return change[:, None] * rows[:, 0]


def rotate(h: Tensor, rows: Tensor, params: Tensor) -> Tensor:
    """(cos θ - 1)·h + sin θ·‖h‖·u, where u is the unit vector at right angles to h in span(h, v̂)
    on the side of v̂: h turned towards v̂ by θ, its norm kept. Zero where h is parallel to v̂.

    ``rows``: v̂ of unit norm. ``params``: θ in degrees.
    """
    angle = torch.deg2rad(params)
    norm = torch.linalg.vector_norm(h, dim=-1, keepdim=True)
    unit = h / norm.clamp_min(_TINY)
    side = rows[:, 0] - _dot(unit, rows[:, 0])[:, None] * unit
    length = torch.linalg.vector_norm(side, dim=-1, keepdim=True)
    change = (torch.cos(angle) - 1) * h + torch.sin(angle) * norm * (side / length.clamp_min(_TINY))
    # Below this the side is rounding, and so is the plane it spans with h.
    return torch.where(length > 1e-6, change, torch.zeros_like(h))


def feature(h: Tensor, rows: Tensor, params: Tensor) -> Tensor:
    """s·(t - a(h))·d: a latent moved to its target t = a + α + β·a, the SAE's error term kept.

    ``h``: as the dictionary reads it (see ``latents.normalise``). ``rows``: encoder, decoder d.
    ``params``: s, α, β, then those of ``latents.activation``.
    """
    a = activation(h, rows[:, 0], params[:, 3:])
    s, alpha, beta = params[:, :3].unbind(-1)
    return (s * (alpha + beta * a))[:, None] * rows[:, 1]


def low_rank(h: Tensor, rows: Tensor, params: Tensor) -> Tensor:
    """s·((w - r)·h + b)·r: one rank of Rᵀ(W h + b - R h) (LoReFT, arXiv 2404.03592, eq. 2).

    ``rows``: w - r, r. ``params``: s, b.
    """
    s, bias = params.unbind(-1)
    return (s * (_dot(h, rows[:, 0]) + bias))[:, None] * rows[:, 1]


def replace(h: Tensor, rows: Tensor, params: Tensor) -> Tensor:
    """p·(source - h). ``rows``: source. ``params``: p."""
    return params * (rows[:, 0] - h)


def keep_norm(before: Tensor, after: Tensor) -> Tensor:
    """``after`` rescaled to the norm of ``before``, token by token. Shapes (n, d_model)."""
    norm = torch.linalg.vector_norm
    old, new = norm(before, dim=-1, keepdim=True), norm(after, dim=-1, keepdim=True)
    return torch.where(new > 0, after * (old / new.clamp_min(_TINY)), after)


OPS: dict[str, Op] = {
    "add": add,
    "project": project,
    "rotate": rotate,
    "feature": feature,
    "low_rank": low_rank,
    "replace": replace,
}

_TINY = torch.finfo(torch.float32).tiny


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1)
