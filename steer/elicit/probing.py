"""Whether a model's weights carry gradients to the sites where vectors are trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from steer.elicit.policy import frozen, scores
from steer.elicit.rows import Batch, Row
from steer.types import Site

_IDS = (1, 2, 3, 4)


def carries_gradients(model: PreTrainedModel, sites: Sequence[Site]) -> str:
    """Empty when every site gets one; else why not. Takes one pass over a few tokens.

    Quantised weights are the usual reason: some kernels for them have no gradient for their input.
    """
    width = model.config.get_text_config().hidden_size
    vectors = {at: torch.zeros(width, requires_grad=True) for at in sites}
    row = Row(_IDS[:-1], _IDS[-1:], [1.0] * len(_IDS))
    try:
        with frozen(model):
            told = scores(model, Batch.of([row]), vectors)[0, 0, _IDS[-1]]
            found = torch.autograd.grad(told, list(vectors.values()), allow_unused=True)
    except (RuntimeError, NotImplementedError) as error:
        return str(error).splitlines()[0]
    none = [str(at) for at, one in zip(vectors, found, strict=True) if one is None or not one.any()]
    return f"none reaches {', '.join(none)}" if none else ""
