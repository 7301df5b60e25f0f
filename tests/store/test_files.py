"""The places a store can be: what is promised holds on each, and nothing is followed out of it."""

import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store import Store
from steer.store.files import Files, LocalFiles, open_files
from tests.store import items


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Files:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return open_files(
        tmp_path / "store" if request.param == "local" else f"memory://{secrets.token_hex(8)}"
    )


def test_a_file_is_created_once(files):
    def create(n: int) -> bool:
        try:
            files.create("a/b/file", b"%d" % n * 10_000)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(24)))
    assert sum(won) == 1
    assert files.read("a/b/file") == b"%d" % won.index(True) * 10_000
    assert list(files.entries("a/b")) == ["file"] and files.subfolders("a") == ("b",)
    assert not files.staging.exists() or list(files.staging.iterdir()) == []


def test_what_is_not_there(files):
    assert files.entries("none") == {} and files.subfolders("none") == ()
    assert list(files.folders()) == []
    files.remove("none/file")
    for use in (files.read, files.open):
        with pytest.raises(FileNotFoundError):
            use("none/file")


def test_files_are_replaced_taken_and_removed(files):
    files.create("a/one", b"1")
    before = files.entries("a")["one"]
    files.replace("a/one", b"22")
    after = files.entries("a")["one"]
    assert files.read("a/one") == b"22" and after.stamp != before.stamp and after.size == 2
    files.staging.mkdir(parents=True, exist_ok=True)
    staged = files.staging / "x"
    staged.write_bytes(b"3" * 5000)
    files.take(staged, "a/b/two")
    assert not staged.exists()
    with files.open("a/b/two") as file:
        files.remove("a/b/two")
        assert file.read() == b"3" * 5000
    assert files.entries("a/b") == {}
    assert files.entries("a")["one"].modified is not None


def test_folders_change_their_stamp_when_files_come_and_go(files):
    files.create("a/one", b"1")
    files.create("b/c/two", b"2")
    first = files.folders()
    assert {"a", "b/c"} <= set(first) and all(not name.startswith(".") for name in first)
    files.create("a/three", b"3")
    second = files.folders()
    # Not settled says that it can not be told: that is as good.
    assert not second["a"].settled or second["a"].stamp != first["a"].stamp
    assert second["b/c"].stamp == first["b/c"].stamp
    assert files.mark("a") in (None, second["a"])


def test_a_url_of_a_local_folder_is_that_folder(tmp_path):
    files = open_files(f"file://{tmp_path}")
    assert isinstance(files, LocalFiles) and files.root == tmp_path


def test_links_are_not_followed(tmp_path):
    elsewhere = Store(tmp_path / "elsewhere")
    elsewhere.add(items.vector("secret"))
    store = Store(tmp_path / "store")
    store.add(items.vector("a"))
    store.add(items.vector("b"))
    (tmp_path / "store/linked").symlink_to(tmp_path / "elsewhere/secret")
    for call in (store.get, store.delete, store.versions):
        with pytest.raises(NotFound):
            call("linked")
    with pytest.raises(InvalidRequest, match="a file or link"):
        store.add(items.vector("linked"))
    assert elsewhere.versions("secret")[-1].number == 1
    card, tensors = sorted((tmp_path / "store/a").iterdir(), key=lambda path: path.suffix)
    for path in (card, tensors):
        real = path.rename(tmp_path / path.name)
        path.symlink_to(real)
        fresh = Store(tmp_path / "store")
        with pytest.raises(FailedPrecondition, match="damaged"):
            fresh.get("a")
        assert [damage.where for damage in fresh.verify().damage] == ["a@1"]
        path.unlink()
        real.rename(path)
    assert Store(tmp_path / "store").names() == ["a", "b"]
    assert Store(tmp_path / "store").verify().damage == ()


def test_a_store_in_memory_is_shared_by_its_url(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    url = f"memory://{secrets.token_hex(8)}"
    Store(url).add(items.vector("a"))
    assert Store(url).get("a").kind == "direction"
    with pytest.raises(NotFound):
        Store(url + "x").get("a")


def test_a_driver_without_conditional_writes_looks_first(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    files = open_files(f"memory://{secrets.token_hex(8)}")
    monkeypatch.setattr(files, "_exclusive", False)
    files.create("a", b"1")
    with pytest.raises(FileExistsError):
        files.create("a", b"2")
    assert files.read("a") == b"1"


def test_a_local_store_needs_no_fsspec(tmp_path):
    Store(tmp_path).add(items.vector("a"))
    code = "import sys, steer; from steer.store import Store; Store(sys.argv[1]).get('a');"
    code += "print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded and not loaded & {"fsspec", "torch", "transformers", "safetensors"}


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everything")
def test_a_store_that_can_not_be_written_can_be_read(tmp_path):
    Store(tmp_path).add(items.vector("a"))
    folders = (tmp_path, tmp_path / "a")
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert Store(tmp_path).get("a") and Store(tmp_path).names() == ["a"]
        for change in (
            lambda: Store(tmp_path).add(items.vector("b")),
            lambda: Store(tmp_path).delete("a"),
            lambda: Store(tmp_path).refer("a", "run"),
        ):
            with pytest.raises(FailedPrecondition, match="Permission denied") as caught:
                change()
            assert caught.value.reason == "STORE_NOT_WRITABLE"
    finally:
        for folder in folders:
            folder.chmod(0o755)
