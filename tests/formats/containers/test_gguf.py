import struct

import gguf
import numpy as np
import pytest

from steer.errors import InvalidRequest
from steer.formats import Source, read
from steer.formats.containers.gguf import read_gguf
from tests.formats.build import D, gguf_bytes, normal


def load(data: bytes):
    return read_gguf(Source.of_files({"v.gguf": data}).files["v.gguf"])


def test_agrees_with_the_gguf_library(tmp_path):
    path = tmp_path / "v.gguf"
    writer = gguf.GGUFWriter(str(path), "controlvector")
    writer.add_string("a.text", "é")
    writer.add_bool("a.bool", True)
    writer.add_uint64("a.long", 1 << 40)
    writer.add_array("a.list", [1, 2, 3])
    writer.add_array("a.texts", ["x", "yy"])
    writer.add_float64("a.float", 0.5)
    for name, array in (
        ("one", normal(D)),
        ("two", normal(5, D)),
        ("half", normal(3).astype("f2")),
    ):
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    ours, theirs = load(path.read_bytes()), gguf.GGUFReader(path)
    assert ours.values["a.text"] == "é" and ours.values["a.list"] == [1, 2, 3]
    assert ours.values["a.texts"] == ["x", "yy"] and ours.values["a.bool"] is True
    assert (ours.values["a.long"], ours.values["a.float"]) == (1 << 40, 0.5)
    for tensor in theirs.tensors:
        mine = ours.tensors[tensor.name]
        assert (mine.array() == tensor.data).all() and mine.shape == tensor.data.shape


def spoilt(data: bytes, at: int, code: str, value: int) -> bytes:
    return data[:at] + struct.pack(f"<{code}", value) + data[at + struct.calcsize(code) :]


@pytest.mark.parametrize(
    ("at", "code", "value", "says"),
    [
        (0, "I", 0, "does not begin with GGUF"),
        (4, "I", 1, "version 1"),
        (4, "I", 0x03000000, "little-endian"),
        (8, "Q", 1 << 60, "tensors"),
        (8, "Q", 50_000, "tensors"),
        (16, "Q", 1 << 60, "keys"),
        (24, "Q", 1 << 60, "a text has"),
    ],
)
def test_counts_that_lie(tmp_path, at, code, value, says):
    data = gguf_bytes(tmp_path, {1: normal(D)})
    with pytest.raises(InvalidRequest, match=says):
        load(spoilt(data, at, code, value))


def test_tensors_that_lie(tmp_path):
    data = gguf_bytes(tmp_path, {1: normal(D)})
    info = data.index(b"direction.1") + len("direction.1")
    for at, code, value, says in (
        (info, "I", 9, "9 dimensions"),
        (info + 4, "Q", 1 << 50, "behind the end"),
        (info + 12, "I", 2, "ggml type 2"),
        (info + 16, "Q", 1 << 40, "behind the end"),
    ):
        with pytest.raises(InvalidRequest, match=says):
            load(spoilt(data, at, code, value))


def test_what_is_wrong_with_one_tensor_is_said_once(tmp_path):
    data = gguf_bytes(tmp_path, {1: normal(1, D), 2: normal(D)})
    with pytest.raises(InvalidRequest) as caught:
        read(Source.of_files({"v.gguf": data}))
    assert [one.field for one in caught.value.violations] == ["tensors[direction.1]"]


def test_duplicate_names(tmp_path):
    data = gguf_bytes(tmp_path, {1: normal(D), 2: normal(D)})
    with pytest.raises(InvalidRequest, match="is there twice"):
        load(data.replace(b"direction.2", b"direction.1"))


def test_tensors_that_share_their_bytes_are_refused(tmp_path):
    """A small file of many such would be as many arrays."""
    data = gguf_bytes(tmp_path, {1: normal(D), 2: normal(D)})
    offset = data.index(b"direction.2") + len("direction.2") + 16
    with pytest.raises(InvalidRequest, match="another tensor ends at 48"):
        load(spoilt(data, offset, "Q", 0))


def test_headers_are_bounded():
    """Values of Python take many times the bytes they have in the file."""
    key = struct.pack("<Q", 1) + b"%c" + struct.pack("<IIQ", 9, 0, 1 << 20) + bytes(1 << 20)
    keys = b"".join(key % (97 + n) for n in range(9))
    with pytest.raises(InvalidRequest, match="header of more than 8388608 bytes"):
        load(b"GGUF" + struct.pack("<IQQ", 3, 0, 9) + keys)


def test_every_truncation_is_noticed(tmp_path):
    data = gguf_bytes(tmp_path, {1: normal(D)})
    whole = load(data).tensors["direction.1"].array()
    assert (whole == normal(D)).all() and np.isfinite(whole).all()
    # The writer fills up to 32 bytes at the end: those hold nothing.
    for length in range(0, len(data) - 32, 7):
        with pytest.raises(InvalidRequest):
            load(data[:length])
