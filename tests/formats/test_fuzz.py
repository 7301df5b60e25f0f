"""Whatever is done to files of every format: an item, or one of our errors.

Cases are fixed (derandomised), so that a failure here fails for everyone.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steer.errors import SteerError
from steer.formats import Options, read
from tests.formats import build
from tests.formats.build import D, Files, gguf_bytes, normal, source
from tests.formats.valid import VALID

CASES = 40
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
fuzzed = settings(
    max_examples=CASES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def readable(files: Files, options: Options) -> bool:
    """Whether it is read; anything but an item and our errors is raised. Nothing may be empty."""
    try:
        item = read(source(files), options).item
    except SteerError as error:
        assert str(error)
        return False
    for name, array in item.arrays().items():
        assert array.dtype == np.float32 and np.isfinite(array).all(), name
    assert item.card.sites and item.card.d_model > 0
    return True


@pytest.mark.parametrize("name", VALID)
def test_what_is_spoilt_is_valid_before(name):
    make, options = VALID[name]
    assert readable(make(), options)


@st.composite
def spoiling(draw: st.DrawFn) -> Callable[[Files], Files]:
    """One way to spoil one of some files."""
    which, kind = draw(st.integers(0, 99)), draw(st.integers(0, 6))
    at = draw(st.floats(0, 1, exclude_max=True))
    value = draw(st.sampled_from(INTERESTING) | st.integers(0, 255))
    length = draw(st.integers(1, 9))

    def spoil(files: Files) -> Files:
        path = sorted(files)[which % len(files)]
        data = bytearray(files[path])
        # Headers are at the beginning or the end; most of a file is numbers.
        place = int(at**3 * len(data)) if which % 2 else int((1 - at**3) * max(len(data) - 1, 0))
        match kind:
            case 0:
                data = data[:place]
            case 1:
                data[place : place + length] = bytes([value]) * len(data[place : place + length])
            case 2:
                data[place:place] = bytes([value]) * length
            case 3:
                del data[place : place + length]
            case 4:
                data[place:place] = data[place // 2 : place]
            case 5:
                return {k: v for k, v in files.items() if k != path} or {path: b""}
            case _:
                return files | {
                    f"inner/{path}": files[path],
                    f"{path}.{value}": bytes(data[:place]),
                }
        return files | {path: bytes(data)}

    return spoil


@pytest.mark.parametrize("name", VALID)
def test_bytes_are_spoilt(name):
    make, options = VALID[name]
    files = make()

    @fuzzed
    @given(spoiling(), st.none() | spoiling())
    def check(first, second):
        spoilt = first(files)
        readable(second(spoilt) if second else spoilt, options)

    check()


NUMBERS = st.sampled_from([0, -1, 1, 3, 2**31, 2**62, 1e308, float("nan"), float("inf"), 0.5])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.just("blocks.9.hook_mlp_out"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


def is_json(path: str) -> bool:
    return path.endswith((".json", ".svec"))


WITH_JSON = [name for name, (make, _) in VALID.items() if any(map(is_json, make()))]


@pytest.mark.parametrize("name", WITH_JSON)
def test_values_of_configurations_are_exchanged(name):
    make, options = VALID[name]
    files = make()
    paths = sorted(path for path in files if is_json(path))

    @fuzzed
    @given(st.integers(0, 99), st.integers(0, 99), JSON)
    def check(which, key, value):
        path = paths[which % len(paths)]
        content = json.loads(files[path])
        places = [(content, k) for k in content]
        places += [(v, k) for v in content.values() if isinstance(v, dict) for k in v]
        holder, name = places[key % len(places)]
        holder[name] = value
        readable(files | {path: json.dumps(content).encode()}, options)

    check()


@fuzzed
@given(
    st.dictionaries(
        st.integers(-2, 9),
        st.tuples(st.integers(0, 3), st.sampled_from([0.0, 1.0, np.nan, np.inf, 1e38])),
        max_size=3,
    ),
    st.none() | st.integers(-3, 3),
)
def test_directions_of_any_width_and_value(tmp_path_factory, layers, offset):
    folder = tmp_path_factory.mktemp("fuzz")
    made = {k: (normal(D + width) * value).astype("f4") for k, (width, value) in layers.items()}
    fine = readable({"v.gguf": gguf_bytes(folder, made)}, Options(index_offset=offset))
    sane = all(np.isfinite(v).all() and v.any() for v in made.values())
    if fine:
        assert made and sane and len({len(v) for v in made.values()}) == 1


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    """No file is written where files are kept, by what is refused and by what is not."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for make, options in VALID.values():
        files = make()
        readable(files, options)
        path = max(files, key=lambda path: len(files[path]))
        readable(files | {path: files[path][: len(files[path]) // 2]}, options)
    assert not os.listdir(tmp_path)


LIMITED = """
import resource, sys
from pathlib import Path
from steer.errors import SteerError
from steer.formats import Source, read
import torch, numpy
torch.set_num_threads(1)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20,) * 2)
for path in sys.argv[1:]:
    try:
        read(Source.of_path(path))
        print("read")
    except SteerError as error:
        print(type(error).__name__)
"""


def test_memory_of_lying_files_is_bounded(tmp_path):
    """Small files that say they hold terabytes, in a process that may not have 300 MiB more."""
    import zipfile

    import torch

    from tests.formats.containers import test_npz, test_pickled

    zeros = np.zeros(1 << 24, "f4")
    lying = {
        "view.pt": build.torch_bytes(torch.zeros(1).expand(1 << 40)),
        "bomb.pt": test_pickled.rewritten(
            build.torch_bytes(torch.zeros(1 << 22)),
            lambda _, data: data,
            compression=zipfile.ZIP_DEFLATED,
        ),
        "size.pt": test_pickled.rewritten(
            build.torch_bytes(torch.zeros(200)),
            lambda _, data: data.replace(b"K\xc8\x85", b"\x8a\x05\x00\x00\x00\x00\x10\x85"),
        ),
        "layer_1/params.npz": test_npz.archive(
            ("W_enc.npy", test_npz.npy(zeros)), compression=zipfile.ZIP_DEFLATED
        ),
        "header.safetensors": (1 << 40).to_bytes(8, "little") + b"{}",
        "count.gguf": b"GGUF" + (3).to_bytes(4, "little") + (1 << 60).to_bytes(8, "little") * 2,
        "deep.svec": b'{"directions":' + b"[" * 1_000_000,
        "wide.svec": b'{"directions": {"1": [' + b"1," * 5_000_000 + b"1]}}",
    }
    paths = []
    for name, data in lying.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        paths.append(str(path))
    command = [sys.executable, "-c", LIMITED, *paths]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = dict(zip(lying, done.stdout.split(), strict=True))
    assert answers.pop("wide.svec") == "read"  # Honest: 10 MB that are as many numbers.
    assert set(answers.values()) == {"InvalidRequest"}, answers
