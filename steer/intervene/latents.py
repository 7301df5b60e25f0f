"""Activations of a dictionary's latents, float32: what ops, gates and captures share.

Every architecture is one formula with four numbers for each latent (``store.FeatureRows``):
a = 1[x·e + gate_bias > threshold] · relu(magnitude_scale·(x·e) + magnitude_bias). Top-k has a
threshold that depends on the token.
"""

import torch
from torch import Tensor

_LAYER_NORM_EPS = 1e-5


def normalise(h: Tensor, how: str) -> tuple[Tensor, Tensor | None]:
    """What a dictionary reads of h, and what its output is multiplied by (None: nothing).

    ``how`` as in SAELens: ``layer_norm`` is (h - mean) / (std + 1e-5) with the unbiased std,
    ``constant_norm`` is h·√d/‖h‖. Shapes: (n, d) → (n, d), (n, 1).
    """
    if how == "none":
        return h, None
    if how == "constant_norm":
        scale = torch.linalg.vector_norm(h, dim=-1, keepdim=True) / h.shape[-1] ** 0.5
        return h / scale.clamp_min(torch.finfo(h.dtype).tiny), scale
    std, mean = torch.std_mean(h, dim=-1, keepdim=True)
    return (h - mean) / (std + _LAYER_NORM_EPS), std


def activation(x: Tensor, encoder: Tensor, params: Tensor) -> Tensor:
    """Activation of one latent for each token, (n,).

    Shapes: ``x`` and ``encoder`` (n, d_in); ``params`` (n, 4): gate_bias, magnitude_scale,
    magnitude_bias, threshold.
    """
    return gated((x * encoder).sum(-1), params)


def gated(pre: Tensor, params: Tensor) -> Tensor:
    """Activations from x·e. ``params`` (…, 4) broadcasts against ``pre`` (…)."""
    gate_bias, scale, bias, threshold = params.unbind(-1)
    return torch.where(pre + gate_bias > threshold, torch.relu(pre * scale + bias), 0.0)


def best(pre: Tensor, k: int) -> Tensor:
    """Which latents top-k keeps, (n, d_sae) boolean: exactly k of each token, before the ReLU."""
    kept = torch.zeros_like(pre, dtype=torch.bool)
    return kept.scatter_(-1, pre.topk(min(k, pre.shape[-1]), dim=-1).indices, True)
