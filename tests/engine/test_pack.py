"""Packed linear layers: the same product, row by row the same bits, and a way back."""

import pytest
import torch

from steer.engine.embedded import pack
from tests.helpers import network

WIDTHS = [(32, 64), (64, 32), (576, 192)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_packed_model_gives_the_same_logits(kind, dtype):
    ids = torch.arange(3, 20)[None]
    plain, packed = network(kind).to(dtype), network(kind).to(dtype)
    assert pack.pack_linears(packed) > 10
    with torch.inference_mode():
        one, other = plain(ids).logits.float(), packed(ids).logits.float()
    assert torch.allclose(one, other, atol=1e-5 if dtype is torch.float32 else 0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("inner", "outer"), WIDTHS)
def test_a_row_does_not_depend_on_its_place_or_company(inner, outer, dtype):
    weight = torch.randn(outer, inner, dtype=dtype)
    layer = pack.PackedLinear(weight, torch.randn(outer, dtype=dtype))
    rows = torch.randn(33, inner, dtype=dtype)
    whole = layer(rows)
    for count in (2, 3, 7, 16, 33):
        assert torch.equal(layer(rows[:count]), whole[:count])
        assert torch.equal(layer(rows[33 - count :]), whole[33 - count :])


def test_layers_stay_as_they_are_where_the_operator_is_missing_or_wrong(monkeypatch):
    def missing(*_):
        raise RuntimeError("no such operator")

    monkeypatch.setattr(pack.PackedLinear, "__init__", missing)
    assert pack.pack_linears(network()) == 0
    monkeypatch.undo()
    monkeypatch.setattr(pack.PackedLinear, "forward", lambda self, x: x[..., :1] * 0)
    assert pack.pack_linears(network()) == 0
