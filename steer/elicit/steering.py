"""Vectors added to the residual stream of a Hugging Face model while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.activations import checked
from steer.errors import InvalidRequest
from steer.intervene.sites import Visit, visiting
from steer.types import Phase, Site


@dataclass
class Steering:
    """State of the hooks. skip: columns at the start of the next forward pass left untouched."""

    skip: int = 0


@contextmanager
def steered(model: PreTrainedModel, vectors: Mapping[Site, Tensor]) -> Iterator[Steering]:
    """Add `vectors[s]`, (d_model,), to the residual stream at site s inside the `with` block.

    The sum is taken in float32. Columns before `Steering.skip` stay bit-identical.
    """
    steering = Steering()
    visits: dict[Site, Visit] = {
        checked(model, at): partial(_add, vector.to(model.device, torch.float32), steering)
        for at, vector in vectors.items()
    }
    with visiting(model, visits):
        yield steering


def untouched(prompt: int, phase: Phase) -> int:
    """Columns at the start of prompts of that many that the phase, `decode` or `all`, leaves alone.

    Raises InvalidRequest for another phase: vectors are not trained for it.
    """
    if phase not in (Phase.DECODE, Phase.ALL):
        raise InvalidRequest(f"phase {phase}: want {Phase.DECODE} or {Phase.ALL}")
    return prompt - 1 if phase is Phase.DECODE else 0


def _add(vector: Tensor, steering: Steering, hidden: Tensor) -> None:
    touched = hidden[:, steering.skip :]
    touched.copy_((touched.float() + vector).to(hidden.dtype))
