"""Linear layers prepacked for the CPU (oneDNN), behind a self-check.

Two reasons. Speed: without it every call of a few rows reorders the weight again, which costs more
than the product. Exactness: a row of oneDNN's product does not depend on how many rows there are
or where it stands among them, so that equal rows of a batch stay equal to the last bit; the
default float32 kernels do not give that.

The operators are private to torch: a layer is packed only if they exist and agree with the layer
itself, and any that does not is left as it is.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

ROWS = 8
"""Rows of the self-check's input."""
SLACK = 1e-5
"""Share of the largest output by which sums of products may differ in float32."""


class PackedLinear(nn.Module):
    """A frozen linear layer with its weight, (out_features, in_features), in oneDNN's order."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        # Models look at their layers' weights for dtype and device; nobody reads the values.
        self.weight, self.bias = weight.new_empty(0), bias
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight, None)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in_features) to (…, out_features). ``x`` can have a gradient, the weight has none."""
        if x.requires_grad and torch.is_grad_enabled():
            # As a matrix: of other shapes the operator gives a view, which hooks may not change.
            flat = x.reshape(-1, self.in_features)
            y: Tensor = _Product.apply(flat, self._packed, self.bias)  # type: ignore[no-untyped-call]
            return y.view(*x.shape[:-1], self.out_features)
        return _product(x, self._packed, self.bias)


def _product(x: Tensor, packed: Tensor, bias: Tensor | None) -> Tensor:
    y: Tensor = torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")
    return y


class _Product(torch.autograd.Function):
    """The operator has no gradient of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, packed: Tensor, bias: Tensor | None) -> Tensor:
        ctx.packed = packed
        return _product(x, packed, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        # Unpacking only reorders, and is done anew each time: the weight is not kept twice.
        return grads[0] @ ctx.packed.to_dense(), None, None


def pack_linears(network: PreTrainedModel) -> int:
    """Replace linear layers on the CPU by packed ones, one at a time. Returns how many were."""
    packed = 0
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            replacement = _packed(child)
            if replacement is not None:
                setattr(parent, name, replacement)
                packed += 1
    return packed


def _packed(layer: nn.Module) -> PackedLinear | None:
    if type(layer) is nn.Linear:
        weight = layer.weight.detach()
    elif type(layer) is Conv1D:
        weight = layer.weight.detach().t().contiguous()
    else:
        return None
    if weight.device.type != "cpu":
        return None
    bias = None if layer.bias is None else layer.bias.detach()
    try:
        with torch.no_grad():
            candidate = PackedLinear(weight, bias)
            return candidate if _agrees(candidate, weight, bias) else None
    except (RuntimeError, AttributeError, NotImplementedError):
        return None


def _agrees(candidate: PackedLinear, weight: Tensor, bias: Tensor | None) -> bool:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(ROWS, weight.shape[1], generator=generator).to(weight.dtype)
    exact = linear(x.float(), weight.float(), None if bias is None else bias.float())
    tolerance = (torch.finfo(weight.dtype).eps + SLACK) * exact.abs().amax().item()
    return bool((candidate(x).float() - exact).abs().amax() <= tolerance)
