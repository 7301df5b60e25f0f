"""Files of torch: nothing in them is run, and no size in them is believed."""

import io
import os
import pickle
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from steer.errors import InvalidRequest
from steer.formats import Source
from steer.formats.containers.pickled import read_pickled
from steer.formats.matrix import Tensor
from tests.formats.build import normal, torch_bytes


def load(data: bytes | Path) -> object:
    return read_pickled(Source.of_files({"v.pt": data}).files["v.pt"])


def rewritten(data: bytes, change: Callable[[str, bytes], bytes], **options: int) -> bytes:
    """The archive with other contents."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", **options) as new:
        for info in old.infolist():
            new.writestr(info.filename, change(info.filename, old.read(info)))
    return target.getvalue()


def with_pickle(raw: bytes) -> bytes:
    data = torch_bytes(torch.zeros(3))
    return rewritten(data, lambda name, old: raw if name.endswith("data.pkl") else old)


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64, torch.int64])
def test_values_in_pieces_and_whole(tmp_path, local, dtype):
    tensor = (torch.tensor(normal(40, 30)) * 9).to(dtype)
    path = tmp_path / "v.pt"
    torch.save({"a": [tensor, tensor.T], "n": 3, "s": "x", "none": None}, path)
    content = load(path if local else path.read_bytes())
    plain, turned = content["a"]
    assert isinstance(plain, Tensor) and (content["n"], content["s"]) == (3, "x")
    want = tensor.float().numpy()
    assert (plain.array() == want).all() and (turned.array() == want.T).all()
    assert (plain.matrix().rows(3, 7) == want[3:7]).all()
    assert (turned.matrix().T.rows(3, 7) == want[3:7]).all()


class Attack:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_nothing_is_executed(tmp_path):
    mark = tmp_path / "executed"
    for protocol in range(6):
        for content in (Attack(mark), {"a": Attack(mark)}):
            with pytest.raises(InvalidRequest, match="tensors, numbers and texts are read"):
                load(with_pickle(pickle.dumps(content, protocol)))
    path = tmp_path / "v.pt"
    torch.save({"a": Attack(mark)}, path)
    with pytest.raises(InvalidRequest, match=r"holds \w+\.\w+; tensors, numbers"):
        load(path)
    assert not mark.exists()


class Makes:
    """Something that ``weights_only`` lets a pickle make."""

    def __init__(self, *made: object) -> None:
        self.made = made

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.made[0], self.made[1:]


@pytest.mark.parametrize("make", [bytearray, torch.FloatTensor, torch.Tensor, Counter, set])
def test_what_a_pickle_could_make_of_a_number_is_not_made(make, monkeypatch):
    data = torch_bytes({"a": Makes(make, 10**11)})
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(InvalidRequest, match="tensors, numbers and texts are read"):
        load(data)


def test_parts_are_counted_before_they_are_made(monkeypatch):
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(InvalidRequest, match="more than 1000000 parts"):
        load(with_pickle(b"\x80\x02(" + b"}" * 1_000_000 + b"l."))


@pytest.mark.parametrize("bad", [b"", b"\x80\x02", b"\xff", b"\x80\x02cx\n", b"\x80\x04K\x01\x94."])
def test_pickles_that_end_or_lie_are_refused(bad):
    with pytest.raises(InvalidRequest) as caught:
        load(with_pickle(bad))
    assert "PyTorch 2.6" not in str(caught.value)


@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.float8_e4m3fn, torch.uint8, torch.int8, torch.uint16, torch.bool],
)
def test_parameters_and_every_plain_dtype_are_read(dtype):
    plain = torch.tensor([0, 1, 1]).to(dtype)
    state = OrderedDict(a=plain, b=torch.nn.Parameter(torch.ones(3)), c=plain.shape, d=plain[1:])
    content = load(torch_bytes(state))
    assert content["a"].array().tolist() == [0, 1, 1] and content["c"] == [3]
    assert content["b"].array().tolist() == [1, 1, 1] and content["d"].array().tolist() == [1, 1]


def test_whole_models_are_refused():
    with pytest.raises(InvalidRequest, match="tensors, numbers and texts are read"):
        load(torch_bytes(torch.nn.Linear(2, 2)))


def test_plain_pickles_and_old_files_are_refused(tmp_path):
    old = io.BytesIO()
    torch.save(torch.zeros(3), old, _use_new_zipfile_serialization=False)
    for data in (pickle.dumps({"a": 1}), old.getvalue(), b"", b"PK\x03\x04"):
        with pytest.raises(InvalidRequest, match=r"torch\.save writes"):
            load(data)


def test_views_that_repeat_are_not_unrolled():
    huge = torch.zeros(1).expand(1 << 40)
    with pytest.raises(InvalidRequest, match="more than the file holds"):
        load(torch_bytes({"a": huge}))


def test_a_storage_is_shared_by_so_many(monkeypatch):
    shared = torch.tensor(normal(1000))
    few = load(torch_bytes({n: shared for n in range(32)}))
    assert len(few) == 32
    monkeypatch.setattr("steer.formats.containers.pickled.LARGEST_ARRAY", 100_000)
    with pytest.raises(InvalidRequest, match="too many tensors share"):
        load(torch_bytes({n: shared for n in range(32)}))


@pytest.mark.parametrize("local", [False, True])
def test_sizes_beyond_the_storage_are_refused(tmp_path, local):
    """A size of 2¹⁶ in place of 200: torch would make the storage longer by whatever is there."""
    data = torch_bytes(torch.zeros(200))
    lying = rewritten(data, lambda _, old: old.replace(b"K\xc8\x85", b"J\x00\x00\x01\x00\x85"))
    assert lying != data
    path = tmp_path / "v.pt"
    path.write_bytes(lying)
    with pytest.raises(InvalidRequest):
        load(path if local else lying)


def test_compressed_entries_are_refused():
    zeros = torch_bytes(torch.zeros(1 << 20))
    bomb = rewritten(zeros, lambda _, old: old, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 1 << 16
    with pytest.raises(InvalidRequest, match="compressed"):
        load(bomb)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a\\b"])
def test_entries_that_are_paths_are_refused(name):
    data = torch_bytes(torch.zeros(3))
    target = io.BytesIO(data)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    with pytest.raises(InvalidRequest, match="plain relative path"):
        load(target.getvalue())


@pytest.mark.parametrize(
    "content",
    [
        {"a": torch.zeros(3).to_sparse()},
        {"a": torch.zeros(3, device="meta")},
        {"a": torch.zeros(3, dtype=torch.complex64)},
        {1.5: torch.zeros(3)},
        {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}},
        {"a": b"bytes"},
        [0] * 300_000,
    ],
)
def test_what_is_not_plain_is_refused(content):
    with pytest.raises(InvalidRequest):
        load(torch_bytes(content))


def test_lists_inside_each_other_are_not_walked_without_end():
    inner: list[object] = [0] * 1000
    for _ in range(4):
        inner = [inner] * 1000
    with pytest.raises(InvalidRequest, match="too many parts"):
        load(torch_bytes(inner))


def test_values_do_not_change_with_the_file(tmp_path):
    path = tmp_path / "v.pt"
    torch.save(torch.ones(300_000), path)
    array = load(path).array()
    with open(path, "r+b") as file:
        file.seek(100_000)
        file.write(np.full(1000, 7, "f4").tobytes())
    assert (array == 1).all()
