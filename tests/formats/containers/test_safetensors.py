import json

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_torch

from steer.errors import InvalidRequest
from steer.formats import Source
from steer.formats.containers.safetensors import read_safetensors
from tests.formats.build import normal


def load(data: bytes):
    return read_safetensors(Source.of_files({"v.safetensors": data}).files["v.safetensors"])


def file(header: object, data: bytes = b"\0" * 12) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: object = "F32", shape: object = (3,), offsets: object = (0, 12)) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "dtype",
    [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8],
)
def test_agrees_with_the_safetensors_library(dtype):
    tensor = (torch.tensor(normal(9, 5)).abs() * 9).to(dtype)
    content = load(save_torch({"b": tensor[0].clone(), "a": tensor}, metadata={"k": "v"}))
    want = tensor.float().numpy()
    assert (content.tensors["a"].array() == want).all() and content.metadata == {"k": "v"}
    assert (content.tensors["a"].matrix().rows(2, 5) == want[2:5]).all()
    assert (content.tensors["a"].matrix().T.rows(2, 5) == want.T[2:5]).all()
    assert (content.tensors["b"].array() == want[0]).all()


def test_double_that_does_not_fit_is_infinite():
    tensor = torch.tensor([1e300, -1e300], dtype=torch.float64)
    with np.errstate(over="ignore"):
        assert np.isinf(load(save_torch({"a": tensor})).tensors["a"].array()).all()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 8,
        (1 << 62).to_bytes(8, "little") + b"{}",
        file(b"\xff"),
        file(b"[]"),
        file(b'{"a": 1, "a": 2}'),
        file(b"[" * 50_000),
        file({"a": 3}),
        file({"a": entry("F33")}),
        file({"a": entry(["F32"])}),
        file({"a": entry(shape=[1 << 62, 1 << 62])}),
        file({"a": entry(shape=[True, 3])}),
        file({"a": entry(shape=[1] * 9 + [3])}),
        file({"a": entry(shape=[4])}),
        file({"a": entry(offsets=[4, 16])}),
        file({"a": entry(offsets=[12, 0])}),
        file({"a": entry(), "b": entry()}),
        file({"a": entry()}, b"\0" * 11),
        file({"a": entry()}, b"\0" * 13),
        file({"__metadata__": {"a": 1}, "a": entry()}),
        file({"__metadata__": 3, "a": entry()}),
    ],
)
def test_headers_that_lie(data):
    with pytest.raises(InvalidRequest):
        load(data)


def test_everything_wrong_at_once():
    with pytest.raises(InvalidRequest) as caught:
        load(file({"a": entry("F33"), "b": entry(shape=[4]), "c": 1}))
    fields = {violation.field for violation in caught.value.violations}
    assert fields == {"tensors[a]", "tensors[b]", "tensors[c]"}
