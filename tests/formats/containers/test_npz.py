import io
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest

from steer.errors import InvalidRequest
from steer.formats import Source
from steer.formats.containers.npz import read_npz
from tests.formats.build import normal, npz_bytes


def load(data: bytes) -> dict:
    return dict(read_npz(Source.of_files({"p.npz": data}).files["p.npz"]))


def archive(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as file:
        for name, data in entries:
            file.writestr(zipfile.ZipInfo(name), data, compression)
    return target.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", "<f8", "<i4"])
def test_values(compressed, dtype):
    a = (normal(33, 17) * 9).astype(dtype)
    arrays = {"a": a, "turned": np.asfortranarray(a), "flat": a[0], "one": a[0, 0]}
    got = load(npz_bytes(compressed, **arrays))
    for name, want in arrays.items():
        assert (got[name].array() == want.astype("f4")).all(), name
    for name in ("a", "turned"):
        assert (got[name].matrix().rows(5, 9) == a[5:9].astype("f4")).all()
        assert (got[name].matrix().T.rows(5, 9) == a.T[5:9].astype("f4")).all()


def test_objects_are_never_loaded():
    with pytest.raises(InvalidRequest, match="want numbers"):
        load(npz_bytes(a=np.array([{"a": 1}], dtype=object)))


@pytest.mark.parametrize("dtype", ["c8", "U3", "datetime64[s]", [("a", "f4")]])
def test_what_is_no_number_is_refused(dtype):
    with pytest.raises(InvalidRequest, match="want numbers"):
        load(npz_bytes(a=np.zeros(3, dtype)))


def test_bombs_are_refused_before_they_are_inflated():
    data = archive(("a.npy", npy(np.zeros(1 << 22, "f4"))), compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 1 << 16
    with pytest.raises(InvalidRequest, match="is said to hold"):
        load(data)


def lying(data: bytes, size: int) -> bytes:
    """The archive with another uncompressed size in its directory."""
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", size) + data[at + 28 :]


def test_an_entry_that_holds_more_or_less_than_it_says():
    data = archive(("a.npy", npy(normal(1000))), compression=zipfile.ZIP_DEFLATED)
    for size in (4127, 4129):  # It has 4128.
        with pytest.raises(InvalidRequest):
            load(lying(data, size))
    assert load(lying(data, 4128))["a"].size == 1000


@pytest.mark.parametrize("name", ["../a.npy", "/a.npy", "b/../../a.npy"])
def test_names_that_are_paths(name):
    with pytest.raises(InvalidRequest, match="plain relative path"):
        load(archive((name, npy(np.zeros(3)))))


def test_names_that_are_there_twice():
    with pytest.warns(UserWarning, match="Duplicate"):
        data = archive(("a.npy", npy(np.zeros(3))), ("a.npy", npy(np.ones(3))))
    with pytest.raises(InvalidRequest, match="is there twice"):
        load(data)


def test_entries_that_overlap():
    """Two entries of the directory with the same bytes: small archives that grow without end."""
    data = archive(("a.npy", npy(np.zeros(3, "f4"))), ("b.npy", npy(np.zeros(3, "f4"))))
    second = data.rindex(b"PK\x01\x02")
    overlapping = data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]
    with pytest.raises(InvalidRequest, match="overlaps"):
        load(overlapping)


def test_comments_and_trailing_bytes_are_refused():
    data = npz_bytes(a=np.zeros(3))
    for spoilt in (data + b"x", data[:-1], data[:-2] + b"\x01\x00x"):
        with pytest.raises(InvalidRequest, match="archive"):
            load(spoilt)


def header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"\0" * 12


@pytest.mark.parametrize(
    "data",
    [
        header("(1099511627776,)"),
        header("(4,)"),
        header("(-3,)"),
        header("(2, 1)"),
        header("(3,)", "'|O'"),
        header("(3,)", "__import__('os').system('true')"),
        header("(" * 500 + ")" * 500),
        b"\x93NUMPY\x09\x00",
        b"",
        zlib.compress(b"x"),
    ],
)
def test_headers_that_lie(data):
    with pytest.raises(InvalidRequest):
        load(archive(("a.npy", data)))
    assert load(archive(("a.npy", header("(3,)"))))["a"].shape == (3,)


def test_headers_are_read_in_linear_time():
    """A process, because nothing but its end stops a regular expression."""
    code = (
        "import sys; from tests.formats.containers.test_npz import archive, header, load\n"
        "from steer.errors import InvalidRequest\n"
        "for shape in ('(' + '1' * 3000, '(' + '1, ' * 1000):\n"
        "    try: load(archive(('a.npy', header(shape))))\n"
        "    except InvalidRequest: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=True)
    assert done.stdout.split() == [b"refused", b"refused"]
