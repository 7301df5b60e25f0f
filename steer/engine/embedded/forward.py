"""One forward pass of the network over a step."""

from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.engine.embedded import attention
from steer.engine.embedded.kv import KV
from steer.engine.embedded.step import Step
from steer.errors import FailedPrecondition

# A 4-D mask is taken as final by transformers, which then builds none of its own.
_NO_MASK = torch.zeros(1, 1, 1, 1)


def adopt(network: PreTrainedModel) -> None:
    """Make a model use our attention.

    Raises FailedPrecondition for models whose attention can not be replaced, or that keep other
    state than keys and values.
    """
    config: Any = network.config.get_text_config()
    if not getattr(network, "_supports_attention_backend", False):
        raise FailedPrecondition(
            f"{type(network).__name__} does not let its attention be replaced",
            reason="UNSUPPORTED_ARCHITECTURE",
        )
    kinds = set(getattr(config, "layer_types", None) or ()) - {
        "full_attention",
        "sliding_attention",
    }
    if kinds:
        raise FailedPrecondition(
            f"layers of type {sorted(kinds)} are not supported", reason="UNSUPPORTED_ARCHITECTURE"
        )
    network.set_attn_implementation(attention.NAME)


def forward(network: PreTrainedModel, kv: KV, step: Step, keep: Tensor) -> Tensor:
    """Logits (kept, vocab_size) of the tokens at indices ``keep`` of the step.

    Writes keys and values of every token into ``kv``.
    """
    with attention.during(step):
        output = network(
            input_ids=step.tokens,
            position_ids=step.positions,
            attention_mask=_NO_MASK,
            past_key_values=attention.SlotCache(kv, step),
            use_cache=True,
            logits_to_keep=keep,
        )
    logits: Tensor = output.logits[0]
    return logits
