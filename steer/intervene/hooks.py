"""Hooks on one decoder block, at the points its layout names."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from steer.errors import FailedPrecondition
from steer.intervene.layouts import Layout
from steer.types import Point

Visit = Callable[[Tensor], None]


def attach(block: nn.Module, layout: Layout, point: Point, visit: Visit) -> RemovableHandle:
    """Call ``visit`` with the activation at a point of a block in every forward pass.

    ``visit`` gets a tensor (batch, position, d_model) and may change it in place. It is the very
    tensor the model goes on with, which makes ``resid_mid`` exact: the residual branch and the
    norm read the same tensor. Only where the model still multiplies an output is it a copy, of
    what will be added; elements that ``visit`` leaves alone then keep every bit.

    Raises FailedPrecondition for a point the layout does not have.
    """
    if point is Point.RESID_PRE:
        return _on_input(block, visit)
    if point is Point.RESID_POST:
        return _on_output(block, visit)
    if point is Point.RESID_MID:
        if layout.mid is None:
            raise FailedPrecondition("this architecture has no resid_mid")
        return _on_input(block.get_submodule(layout.mid), visit)
    path = layout.attn_out if point is Point.ATTN_OUT else layout.mlp_out
    if layout.multiplier is not None:
        visit = _multiplied(visit, float(getattr(block, layout.multiplier)))
    return _on_output(block.get_submodule(path), visit)


def _multiplied(visit: Visit, factor: float) -> Visit:
    def visit_product(output: Tensor) -> None:
        before = output * factor
        after = before.clone()
        visit(after)
        new = after / factor
        # In training a gradient has to flow also where nothing has changed yet.
        output.copy_(new if new.requires_grad else torch.where(after == before, output, new))

    return visit_product


def _on_output(module: nn.Module, visit: Visit) -> RemovableHandle:
    def hook(_module: nn.Module, _args: Any, output: Any) -> None:
        visit(_hidden(output[0] if isinstance(output, tuple) else output, module))

    return module.register_forward_hook(hook)


def _on_input(module: nn.Module, visit: Visit) -> RemovableHandle:
    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        visit(_hidden(args[0] if args else kwargs.get("hidden_states"), module))

    return module.register_forward_pre_hook(hook, with_kwargs=True)


def _hidden(value: Any, module: nn.Module) -> Tensor:
    # Never pass over what is not understood: the caller would believe it was steered.
    if not isinstance(value, Tensor):
        kind = type(value).__name__
        raise FailedPrecondition(f"{type(module).__name__} passes on a {kind} and no tensor")
    return value
