"""What a gate reads: one function for each kind, on float32 activations.

Shapes: ``h`` and ``row`` (n, d_model), ``params`` (n, k). Returns (n,).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from steer.intervene.latents import activation

Reading = Callable[[Tensor, Tensor, Tensor], Tensor]


def cosine(h: Tensor, row: Tensor, params: Tensor) -> Tensor:
    """cos(h, v), -1 to 1; 0 where h is zero. ``row``: v̂ of unit norm."""
    norm = torch.linalg.vector_norm(h, dim=-1).clamp_min(torch.finfo(h.dtype).tiny)
    found: Tensor = (h * row).sum(-1) / norm
    return found


def probe(h: Tensor, row: Tensor, params: Tensor) -> Tensor:
    """σ(w·h + b), 0 to 1. ``row``: w. ``params``: b."""
    logit: Tensor = (h * row).sum(-1) + params[:, 0]
    return torch.sigmoid(logit)


READINGS: dict[str, Reading] = {"cosine": cosine, "probe": probe, "feature": activation}


def is_open(reading: Tensor, threshold: Tensor, below: Tensor, absolute: Tensor) -> Tensor:
    """Whether a gate acts, boolean. All (n,); ``below`` and ``absolute`` boolean."""
    size = torch.where(absolute, reading.abs(), reading)
    return torch.where(below, size < threshold, size > threshold)
