"""Tensor files: exact, in the format of the safetensors library, and never believed."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load, save

from steer.store import tensors

SHAPES = arrays.array_shapes(max_dims=3, max_side=5)
ARRAYS = SHAPES.flatmap(lambda shape: arrays.arrays(np.float32, shape))
FILES = st.dictionaries(st.text(max_size=12), ARRAYS, max_size=4)


def write(path, data: bytes):
    path.write_bytes(data)
    return open(path, "rb")


def encoded(given: dict[str, np.ndarray]) -> bytes:
    size, pieces = tensors.encode(given)
    data = b"".join(map(bytes, pieces))
    assert len(data) == size
    return data


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tensors") / "file"


@given(FILES)
@settings(deadline=None)
def test_what_is_written_is_read_by_us_and_by_the_library(path, given):
    given.pop("__metadata__", None)
    data = encoded(given)
    with write(path, data) as file:
        read = tensors.read(file)
    library = load(data)
    assert read.arrays.keys() == given.keys() == library.keys()
    for name, array in given.items():
        for other in (read.arrays[name], library[name]):
            assert other.shape == array.shape and other.tobytes() == array.tobytes()
        assert (name in read.not_finite) == (not np.isfinite(array).all())
        assert (name in read.zero) == (not array.any())


@given(FILES)
@settings(deadline=None)
def test_what_the_library_writes_is_read(path, given):
    given.pop("__metadata__", None)
    with write(path, save(given, metadata={"by": "someone"})) as file:
        read = tensors.read(file).arrays
    assert {name: array.tobytes() for name, array in read.items()} == {
        name: array.tobytes() for name, array in given.items()
    }


WHOLE = encoded({"a": np.arange(6, dtype=np.float32).reshape(2, 3), "bc": np.ones(5, np.float32)})
HEADER = int.from_bytes(WHOLE[:8], "little") + 8
EDIT = st.tuples(st.integers(0, HEADER), st.integers(0, 12), st.binary(max_size=12))


@given(st.lists(EDIT, min_size=1, max_size=4), st.integers(0, 8))
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_a_mangled_file_is_refused_or_whole(path, edits, cut):
    data = bytearray(WHOLE)
    for start, length, piece in edits:
        data[start : start + length] = piece
    with write(path, bytes(data[: len(data) - cut])) as file:
        try:
            read = tensors.read(file)
        except tensors.TensorsError as error:
            assert str(error)
            return
        size = os.fstat(file.fileno()).st_size
    assert sum(array.nbytes for array in read.arrays.values()) < size


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_bytes_of_no_meaning_are_refused(path, data):
    with write(path, data) as file:
        try:
            assert tensors.read(file).arrays == {}
        except tensors.TensorsError:
            pass


def test_a_large_file_is_mapped_and_stays_readable(path):
    big = {"big": np.arange(tensors.MAPPED_ABOVE, dtype=np.float32).reshape(-1, 4)}
    with write(path, encoded(big)) as file:
        read = tensors.read(file).arrays["big"]
    path.unlink()
    assert np.array_equal(read[-3:], big["big"][-3:]) and not read.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        read[0] = 1


@pytest.mark.parametrize("of", [lambda a: a, lambda a: a.T, lambda a: a[:, ::2], np.ravel])
def test_pieces_are_small_whatever_the_array(of):
    array = of(np.arange(1 << 20, dtype=np.float32).reshape(1 << 11, -1))
    _, pieces = tensors.encode({"a": array})
    _, *values = map(bytes, pieces)
    assert max(map(len, values)) <= 1 << 20
    assert b"".join(values) == array.tobytes()


def test_the_digest_is_of_the_whole_file_wherever_it_was_read_to(path):
    with write(path, WHOLE) as file:
        first = tensors.digest(file)
        file.read(3)
        assert tensors.digest(file) == first and isinstance(file, io.BufferedReader)


def _mapped() -> int:
    """Bytes of mapped files in this process's memory."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("RssFile:")[2].split()[0])


def test_parts_of_a_mapped_matrix_are_let_go_again(tmp_path):
    matrix = np.random.default_rng(0).standard_normal((1 << 15, 256), "f4")  # 32 MiB.
    with open(tmp_path / "file", "wb") as file:
        file.writelines(tensors.encode({"a": matrix})[1])
    with open(tmp_path / "file", "rb") as file:
        mapped = tensors.read(file).arrays["a"]
    before, most = _mapped(), 0
    for number, part in enumerate(tensors.parts(mapped, 1 << 10)):
        assert (part == matrix[number << 10 : (number + 1) << 10]).all()
        most = max(most, _mapped() - before)
    assert number == 31 and most < 8 << 20
    assert (mapped == matrix).all() and _mapped() - before > 30 << 20
    tensors.let_go(mapped[::2].T)
    assert _mapped() - before < 4 << 20
    assert [part.tolist() for part in tensors.parts(matrix[:3, :1], 2)] == [
        matrix[:2, :1].tolist(),
        matrix[2:3, :1].tolist(),
    ]
