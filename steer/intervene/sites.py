"""The one table that knows architectures, and hooks at its sites."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from steer.errors import FailedPrecondition
from steer.types import Point, Site

Visit = Callable[[Tensor], None]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a decoder block keeps its points.

    ``blocks``: path of the list of blocks. ``attn_out`` and ``mlp_out``: the submodules whose
    *output* is added to the residual stream (the post-norm where there is one). ``mid``: the
    submodule whose *input* is the residual stream between attention and MLP; None when attention
    and MLP run in parallel and there is no such place.
    """

    blocks: str
    attn_out: str
    mid: str | None
    mlp_out: str


_PRE_NORM = Layout("model.layers", "self_attn", "post_attention_layernorm", "mlp")
_SANDWICH = Layout(
    "model.layers",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)
_POST_NORM = Layout("model.layers", "post_attention_layernorm", "mlp", "post_feedforward_layernorm")
_NEOX = Layout("gpt_neox.layers", "attention", "post_attention_layernorm", "mlp")

LAYOUTS: dict[str, Layout] = {
    "llama": _PRE_NORM,
    "mistral": _PRE_NORM,
    "mixtral": _PRE_NORM,
    "qwen2": _PRE_NORM,
    "qwen3": _PRE_NORM,
    "qwen3_moe": _PRE_NORM,
    "gemma": _PRE_NORM,
    "phi3": _PRE_NORM,
    "smollm3": _PRE_NORM,
    "gemma2": _SANDWICH,
    "gemma3_text": _SANDWICH,
    "olmo2": _POST_NORM,
    "gpt2": Layout("transformer.h", "attn", "ln_2", "mlp"),
    "gpt_neox": _NEOX,
    "phi": Layout("model.layers", "self_attn", None, "mlp"),
}


def layout(model: nn.Module) -> Layout:
    """The layout of a model of transformers.

    Raises FailedPrecondition, with the list of known architectures, for any other.
    """
    config: Any = model.config
    found = LAYOUTS.get(config.model_type)
    if found is None:
        raise FailedPrecondition(
            f"architecture {config.model_type!r} is not supported; supported: "
            + ", ".join(sorted(LAYOUTS)),
            reason="UNSUPPORTED_ARCHITECTURE",
        )
    if found is _NEOX and config.use_parallel_residual:
        return Layout(found.blocks, found.attn_out, None, found.mlp_out)
    return found


def blocks(model: nn.Module) -> nn.ModuleList:
    """The decoder blocks, in order."""
    found = model.get_submodule(layout(model).blocks)
    assert isinstance(found, nn.ModuleList)
    return found


def points(model: nn.Module) -> tuple[Point, ...]:
    """The points this model has."""
    parallel = layout(model).mid is None
    return tuple(point for point in Point if not (parallel and point is Point.RESID_MID))


def on_visit(model: nn.Module, site: Site, visit: Visit) -> RemovableHandle:
    """Call ``visit`` with the activation at ``site`` in every forward pass.

    ``visit`` gets the very tensor the model goes on with, shape (batch, position, d_model), and
    may change it in place. That is what makes ``resid_mid`` exact: the residual branch and the
    norm read the same tensor.
    """
    block, where = blocks(model)[site.layer], layout(model)
    if site.point is Point.RESID_PRE:
        return _on_input(block, visit)
    if site.point is Point.RESID_POST:
        return _on_output(block, visit)
    if site.point is Point.ATTN_OUT:
        return _on_output(block.get_submodule(where.attn_out), visit)
    if site.point is Point.MLP_OUT:
        return _on_output(block.get_submodule(where.mlp_out), visit)
    if where.mid is None:
        raise FailedPrecondition("attention and MLP run in parallel: there is no resid_mid")
    return _on_input(block.get_submodule(where.mid), visit)


@contextmanager
def visiting(model: nn.Module, visits: dict[Site, Visit]) -> Iterator[None]:
    """Hooks for the duration of a ``with`` block."""
    handles = [on_visit(model, site, visit) for site, visit in visits.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _on_output(module: nn.Module, visit: Visit) -> RemovableHandle:
    def hook(_module: nn.Module, _args: Any, output: Any) -> None:
        visit(output[0] if isinstance(output, tuple) else output)

    return module.register_forward_hook(hook)


def _on_input(module: nn.Module, visit: Visit) -> RemovableHandle:
    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        visit(args[0] if args else kwargs["hidden_states"])

    return module.register_forward_pre_hook(hook, with_kwargs=True)
