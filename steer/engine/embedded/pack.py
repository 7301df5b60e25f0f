"""Linear layers prepacked for the CPU (oneDNN), behind a self-check.

Without it every call reorders the weight again, which costs more than the product for the few
rows of a decode step. The operators are private to torch: a layer is packed only if they exist
and agree with the layer itself, and any that does not is left as it is.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

ROWS = 8
"""Rows of the self-check's input."""


class PackedLinear(nn.Module):
    """A frozen linear layer with its weight in oneDNN's own order."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        # The plain weight stays: tied embeddings and dtype look-ups read it.
        self.weight, self.bias = layer.weight, layer.bias
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self._packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), None)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in_features) to (…, out_features)."""
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, "none", [], "")
        return y


def pack_linears(network: PreTrainedModel) -> int:
    """Replace linear layers on the CPU by packed ones. Returns how many were.

    Only 16-bit weights gain: for float32 torch keeps its own packing.
    """
    packed = 0
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear and _eligible(child.weight):
                replacement = _packed(child)
                if replacement is not None:
                    setattr(parent, name, replacement)
                    packed += 1
    return packed


def _eligible(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype in (torch.bfloat16, torch.float16)


def _packed(layer: nn.Linear) -> PackedLinear | None:
    try:
        with torch.no_grad():
            candidate = PackedLinear(layer)
            return candidate if _agrees(candidate, layer) else None
    except (RuntimeError, AttributeError, NotImplementedError):
        return None


def _agrees(candidate: PackedLinear, layer: nn.Linear) -> bool:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(ROWS, layer.in_features, generator=generator).to(layer.weight.dtype)
    bias = None if layer.bias is None else layer.bias.float()
    exact = linear(x.float(), layer.weight.float(), bias)
    # Both round the same exact product once; one unit in the last place apart is agreement.
    tolerance = torch.finfo(layer.weight.dtype).eps * exact.abs().amax().item()
    return bool((candidate(x).float() - exact).abs().amax() <= tolerance)
