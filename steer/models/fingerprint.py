"""A model's fingerprint: whether a vector was made for these weights."""

import hashlib

import torch
from torch import nn

SAMPLES = 1024


def fingerprint(model: nn.Module) -> str:
    """Hash of every parameter's name, shape and up to 1024 evenly spaced values.

    Take it before casting: values enter as float32, so the same checkpoint gives the same
    fingerprint whatever dtype it is then served in. Sampling keeps it at seconds for models of
    many GB; it tells checkpoints apart and is no proof against forgery.

    Returns:
        ``sha256:`` and 32 hex digits.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.named_parameters()):
        digest.update(f"{name}:{tuple(tensor.shape)}\n".encode())
        digest.update(_sample(tensor).numpy().tobytes())
    return f"sha256:{digest.hexdigest()[:32]}"


def _sample(tensor: torch.Tensor) -> torch.Tensor:
    flat = tensor.detach().reshape(-1)
    stride = max(1, flat.numel() // SAMPLES)
    return flat[::stride][:SAMPLES].to("cpu", torch.float32)
