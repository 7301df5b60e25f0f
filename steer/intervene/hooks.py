"""Hooks on one decoder block, at the points its layout names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from steer.errors import FailedPrecondition
from steer.intervene.layouts import Layout
from steer.types import Point

Visit = Callable[[Tensor], None]


class Handle(Protocol):
    """What takes hooks away again."""

    def remove(self) -> None:
        """Take them away; a second time does nothing."""


@dataclass(frozen=True, slots=True)
class _Together:
    handles: Sequence[Handle]

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def attach(block: nn.Module, layout: Layout, point: Point, visit: Visit) -> Handle:
    """Call ``visit`` with the activation at a point of a block in every forward pass.

    ``visit`` gets a tensor (batch, position, d_model) and may change it in place. It is the very
    tensor the model goes on with, which makes ``resid_mid`` exact: the residual branch and the
    norm read the same tensor. It is a copy where the model still multiplies an output, of what will
    be added, and at ``resid_mid`` of a parallel block, whose change goes into what attention adds;
    elements that ``visit`` leaves alone then keep every bit.

    Raises FailedPrecondition for a point the layout does not have.
    """
    if point is Point.RESID_PRE:
        return _on_input(block, visit)
    if point is Point.RESID_POST:
        return _on_output(block, visit)
    factor = None if layout.multiplier is None else float(getattr(block, layout.multiplier))
    if point is Point.RESID_MID:
        if layout.mid is not None:
            return _on_input(block.get_submodule(layout.mid), visit)
        if layout.parallel:
            return _beside(block, layout, visit, factor or 1.0)
        raise FailedPrecondition("this architecture has no resid_mid")
    path = layout.attn_out if point is Point.ATTN_OUT else layout.mlp_out
    return _on_output(block.get_submodule(path), _multiplied(visit, factor) if factor else visit)


def _multiplied(visit: Visit, factor: float) -> Visit:
    def visit_product(output: Tensor) -> None:
        before = output * factor
        after = before.clone()
        visit(after)
        _write(output, after / factor, after == before)

    return visit_product


def _beside(block: nn.Module, layout: Layout, visit: Visit, factor: float) -> Handle:
    """At ``resid_mid`` of a parallel block, when attention is done and the MLP begins: by then
    whoever is at the other points has written there."""
    passing: dict[str, Tensor] = {}

    def visit_sum(_into_mlp: Tensor) -> None:
        residual, added = passing.pop("residual"), passing.pop("added")
        before = residual + added * factor
        after = before.clone()
        visit(after)
        _write(added, added + (after - before) / factor, after == before)

    return _Together(
        (
            _on_input(block, partial(passing.__setitem__, "residual")),
            _on_output(block.get_submodule(layout.attn_out), partial(passing.__setitem__, "added")),
            _on_input(block.get_submodule(layout.mlp_out), visit_sum),
        )
    )


def _write(output: Tensor, new: Tensor, same: Tensor) -> None:
    # In training a gradient has to flow also where nothing has changed yet.
    output.copy_(new if new.requires_grad else torch.where(same, output, new))


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
