"""The one table that knows architectures: where a decoder block keeps its points. No torch.

Whether an output is a tensor or a tuple that begins with one is not in the table: it changes
between versions of transformers, and the hooks take both.
"""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a decoder block keeps its points.

    ``blocks``: path of the list of blocks. ``attn_out`` and ``mlp_out``: the submodules whose
    *output* is added to the residual stream (the post-norm where there is one). ``mid``: the
    submodule whose *input* is the residual stream between attention and MLP; None when no
    submodule has it. ``multiplier``: attribute of a block by which both outputs are multiplied
    before they are added. ``parallel``: whether attention and MLP both read what comes into the
    block, so that ``resid_mid`` is that plus what attention adds; or the flag of the configuration
    that says so, where a model has a choice.
    """

    blocks: str
    attn_out: str
    mid: str | None
    mlp_out: str
    multiplier: str | None = None
    parallel: bool | str = False

    def of(self, config: Any) -> "Layout":
        """This layout as a model with ``config`` has it: no choice left."""
        if isinstance(self.parallel, bool):
            return self
        chosen = bool(getattr(config, self.parallel))
        return replace(self, mid=None if chosen else self.mid, parallel=chosen)

    def __str__(self) -> str:
        times = f" times {self.multiplier}" if self.multiplier else ""
        middle = f", resid_mid into {self.mid}" if self.mid else ""
        beside = ", in parallel" if self.parallel else ""
        return f"{self.attn_out} and {self.mlp_out}{times}{middle}{beside}"


_PRE_NORM = Layout("model.layers", "self_attn", "post_attention_layernorm", "mlp")
_PARALLEL = Layout("model.layers", "self_attn", None, "mlp", parallel=True)
_SANDWICH = Layout(
    "model.layers",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)
_POST_NORM = Layout("model.layers", "post_attention_layernorm", "mlp", "post_feedforward_layernorm")

LAYOUTS: dict[str, Layout] = {
    "llama": _PRE_NORM,
    "mistral": _PRE_NORM,
    "mixtral": _PRE_NORM,
    "qwen2": _PRE_NORM,
    "qwen2_moe": _PRE_NORM,
    "qwen3": _PRE_NORM,
    "qwen3_moe": _PRE_NORM,
    "gemma": _PRE_NORM,
    "olmo": _PRE_NORM,
    "phi3": _PRE_NORM,
    "smollm3": _PRE_NORM,
    "starcoder2": _PRE_NORM,
    "granite": replace(_PRE_NORM, multiplier="residual_multiplier"),
    "gemma2": _SANDWICH,
    "gemma3_text": _SANDWICH,
    "glm4": Layout(
        "model.layers",
        "post_self_attn_layernorm",
        "post_attention_layernorm",
        "post_mlp_layernorm",
    ),
    "olmo2": _POST_NORM,
    "olmo3": _POST_NORM,
    "phi": _PARALLEL,
    "cohere2": _PARALLEL,
    "gpt2": Layout("transformer.h", "attn", "ln_2", "mlp"),
    "gpt_neox": Layout(
        "gpt_neox.layers",
        "attention",
        "post_attention_layernorm",
        "mlp",
        parallel="use_parallel_residual",
    ),
}
"""By ``model_type`` of the configuration."""


def known() -> tuple[Layout, ...]:
    """Every layout the table knows, once, without the path of the blocks.

    Each also in parallel, and last without its ``resid_mid``: an unknown model may be built so
    under the same names.
    """
    bare = [replace(row, blocks="", parallel=False) for row in LAYOUTS.values()]
    without = [replace(row, mid=None) for row in bare]
    parallel = [replace(row, parallel=True) for row in without]
    return tuple(dict.fromkeys([*(row for row in bare if row.mid), *parallel, *without]))
