"""Listings: pages, filters, changes from outside, and ten thousand vectors."""

import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

import steer
from steer.store import Store
from steer.store import index as module
from steer.store.files import LocalFiles
from steer.store.summary import FIELDS
from tests.helpers import until
from tests.store import items


def names(store: Store, **wanted: str) -> list[str]:
    return [info.name for info in store.page(**wanted)]


def test_pages_are_in_order_and_go_on_behind_a_name(store):
    given = ["a", "a/b", "b", "c/d", "z"]
    for name in reversed(given):
        store.add(items.vector(name))
    assert names(store) == given
    assert names(store, limit=2) == ["a", "a/b"]
    assert names(store, after="a/b", limit=2) == ["b", "c/d"]
    assert names(store, after="bb") == ["c/d", "z"]
    assert names(store, after="z") == []


def test_a_summary_is_that_of_the_newest_version(store):
    store.add(items.vector("a"))
    store.add(items.dictionary(name="b"))
    for reader in (store, Store(store.root)):
        for info in reader.page():
            assert replace(reader.info(info.name), card={}) == info
            held = reader.get(info.name).info()
            assert replace(held, card={}, version=1, digest=info.digest) == info
    store.add(items.vector("a", seed=4))
    assert store.page(limit=1)[0].content_hash == store.get("a").content_hash


def test_filters(store):
    for index, item in enumerate(items.every_kind().values()):
        card = replace(item.card, model=f"m{index % 2}")
        store.add(replace(item, name=f"v{index:02}", card=card))
    everything = store.page()
    assert {info.kind for info in everything} == _kinds()
    for kind in _kinds():
        assert names(store, kind=kind) == [i.name for i in everything if i.kind == kind]
    both = [i.name for i in everything if i.kind == "sae" and i.model == "m1"]
    assert names(store, kind="sae", model="m1") == both != []
    assert names(store, method="other") == []
    assert names(store, kind="sae", model="m1", limit=1, after=both[0]) == both[1:2]


def _kinds() -> set[str]:
    return {item.kind for item in items.every_kind().values()}


def test_what_others_store_and_delete_shows(store):
    other = Store(store.root)
    assert names(store) == []
    for step in range(1, 4):
        other.add(items.vector("a", seed=step))
        _wait()
        assert store.page()[0].content_hash == other.get("a").content_hash
    other.add(items.vector("b/c"))
    _wait()
    assert names(store) == ["a", "b/c"]
    other.delete("a@3")
    _wait()
    assert store.page()[0].content_hash == other.get("a@2").content_hash
    other.delete("a")
    _wait()
    assert names(store) == ["b/c"]


def _wait() -> None:
    time.sleep(0.1)


def test_what_is_stored_here_shows_at_once(store):
    for n in range(5):
        store.add(items.vector(f"v{n}"))
        assert f"v{n}" in names(store)
        store.delete(f"v{n}")
        assert names(store) == []


def test_a_card_written_by_another_program_is_enough(tmp_path):
    made = Store(tmp_path / "from").put(items.vector("a"))
    folder = tmp_path / "to/x/y"
    folder.mkdir(parents=True)
    tensors = next((tmp_path / "from/a").glob("*.safetensors"))
    shutil.copy(tensors, folder / "vector.safetensors")
    card = replace(made.card, norms={}, content_hash="").to_dict()
    (folder / "card.json").write_text(json.dumps(card))
    store = Store(tmp_path / "to")
    info = store.page()[0]
    assert info.content_hash == made.content_hash
    assert dict(zip(info.sites, info.norms, strict=True)) == made.norms()
    assert store.verify().damage == ()
    store.add(items.vector("x/y", seed=1))
    assert [v.number for v in store.versions("x/y")] == [1, 2]


def test_what_is_damaged_does_not_hide_the_rest(tmp_path, caplog):
    store = Store(tmp_path)
    for name in ("a", "b", "c"):
        store.add(items.vector(name))
    (tmp_path / "a/card.json").write_text("{")
    next((tmp_path / "b").glob("*.safetensors")).unlink()
    fresh = Store(tmp_path)
    assert names(fresh) == ["c"] and fresh.names() == ["c"]
    assert "not listed" in caplog.text and "not JSON" in caplog.text and "missing" in caplog.text


def many(root: Path, n: int) -> None:
    """n vectors as another program would write them, changed long enough ago to be trusted."""
    made = Store(root / ".made").put(items.vector("a"))
    data = next((root / ".made/a").glob("*.safetensors")).read_bytes()
    text = made.card.to_json().encode()
    past = time.time() - 60
    for i in range(n):
        folder = root / (f"v{i:05}" if i % 2 else f"by{i % 97:02}/v{i:05}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "card.json").write_bytes(text)
        (folder / "vector.safetensors").write_bytes(data)
        os.utime(folder, (past, past))
    for folder in (root, *root.iterdir()):
        os.utime(folder, (past, past))


def test_what_is_looked_at_does_not_grow_with_what_is_stored(tmp_path, monkeypatch):
    """`python -m bench.store` says how long it takes."""
    many(tmp_path, 1000)
    store = Store(tmp_path)
    assert len(store.names()) == 1000 and (tmp_path / module.FILE).exists()
    looked: list[str] = []
    for call in ("folders", "subfolders", "entries", "read"):
        real = getattr(LocalFiles, call)

        def counting(self, *at, real=real, call=call):
            looked.append(" ".join((call, *at)))
            return real(self, *at)

        monkeypatch.setattr(LocalFiles, call, counting)
    store._index._next_look = time.monotonic() + 60
    assert [info.name for info in store.page("v00500", 3)] == ["v00501", "v00503", "v00505"]
    assert looked == []
    assert store.resolve("v00501").number == 1
    assert looked == ["entries v00501"]
    looked.clear()
    store._index._next_look = 0.0
    assert len(store.page("", 1000)) == 1000
    # Of the folders none but the store's own is looked into, which has just changed.
    assert {*looked} <= {"folders", "subfolders "}
    listed, fresh = store.names(), Store(tmp_path)
    looked.clear()
    assert fresh.names() == listed
    assert looked == [f"read {module.FILE}", "folders", "subfolders "]
    seen = [fresh.page()]
    while seen[-1]:
        seen.append(fresh.page(seen[-1][-1].name, 300, kind="direction"))
    assert [info.name for page in seen for info in page] == listed


@pytest.fixture
def counted(monkeypatch):
    """Names of folders an index read again."""
    read = []
    real = module.Index._read

    def reading(self, name):
        read.append(name)
        return real(self, name)

    monkeypatch.setattr(module.Index, "_read", reading)
    return read


def test_only_folders_that_changed_are_read_again(tmp_path, counted, monkeypatch):
    monkeypatch.setattr(module, "_WORTH_KEEPING", 10)
    many(tmp_path, 40)
    store = Store(tmp_path)
    store.names()
    folders = len(counted)
    assert folders >= 40
    for reader in (store, Store(tmp_path)):
        counted.clear()
        reader._index._next_look = 0.0
        assert len(reader.names()) == 40
        assert counted == []
    store.add(items.vector("v00001", seed=3))
    assert store.page("v00000", 1)[0].content_hash == store.get("v00001").content_hash
    assert set(counted) == {"v00001"}


def test_another_process_looks_into_no_folder_that_is_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_WORTH_KEEPING", 10)
    many(tmp_path, 40)
    (tmp_path / "by00/Not a name").mkdir()
    past = time.time() - 60
    os.utime(tmp_path / "by00", (past, past))
    Store(tmp_path).names()
    fresh = Store(tmp_path)
    looked = []
    real = fresh._versions.files.subfolders
    monkeypatch.setattr(
        fresh._versions.files,
        "subfolders",
        lambda folder: [*map(str, (looked.append(folder), *real(folder)))][1:],
    )
    Store(tmp_path).add(items.vector("by02/new"))
    assert "by02/new" in fresh.names() and len(fresh.names()) == 41
    assert set(looked) <= {"", "by02", "by02/new"}


def test_what_was_stored_here_is_not_read_again_all_at_once(tmp_path, counted, monkeypatch):
    monkeypatch.setattr(module, "_AGAIN", 0.0)
    store, other = Store(tmp_path), Store(tmp_path)
    assert store.names() == []
    for n in range(6):
        store.add(items.vector(f"v{n}"))
    assert counted == [f"v{n}" for n in range(6)]
    counted.clear()
    # They have just changed, so that another process may have changed them unnoticed.
    for looks in range(1, 5):
        store._index._next_look = 0.0
        assert store.names() == [f"v{n}" for n in range(6)]
        assert len(counted) == looks
    other.add(items.vector("v5", seed=9))
    other.delete("v4")
    other.add(items.vector("w"))
    store._index._next_look = 0.0
    assert names(store) == ["v0", "v1", "v2", "v3", "v5", "w"]
    assert store.page("v3", 1)[0].version == 2


def test_a_look_that_takes_long_is_not_waited_for(store, monkeypatch):
    other = Store(store.root)
    store.add(items.vector("a"))
    assert names(store) == ["a"]
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    looking, on = threading.Event(), threading.Event()
    real = store._versions.files.folders

    def folders():
        found = real()
        looking.set()
        assert on.wait(30)
        return found

    monkeypatch.setattr(store._versions.files, "folders", folders)
    other.add(items.vector("b"))
    store._index._next_look = 0.0
    assert names(store) == ["a"]
    assert looking.wait(30)
    # What is stored here meanwhile shows at once, and stays when the look is over.
    store.add(items.vector("c"))
    store.delete("a")
    assert names(store) == ["c"]
    on.set()
    until(lambda: store._index._looking is None)
    assert names(store) == ["b", "c"]


def test_a_store_that_can_not_be_looked_through_says_so(tmp_path, monkeypatch, caplog):
    store = Store(tmp_path)

    def fails():
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(store._versions.files, "folders", fails)
    for _ in range(2):  # To everybody, not to the first who asks.
        with pytest.raises(steer.FailedPrecondition, match=f"in {tmp_path} .*Input/output"):
            store.names()
    assert "can not be looked through" in caplog.text
    monkeypatch.undo()
    store.add(items.vector("a"))
    store._index._next_look = 0.0
    assert store.names() == ["a"]


def test_many_stored_here_are_kept_for_the_next_process(tmp_path, counted, monkeypatch):
    monkeypatch.setattr(module, "_WORTH_KEEPING", 5)
    monkeypatch.setattr(module, "_AGAIN", 0.0)
    store = Store(tmp_path)
    store.names()
    for n in range(5):
        store.add(items.vector(f"team/v{n}"))
    assert (tmp_path / module.FILE).exists()
    counted.clear()
    assert len(Store(tmp_path).names()) == 5
    assert len([name for name in counted if name != "team"]) == 1


def test_a_deletion_that_fails_half_way_shows_what_is_gone(tmp_path, monkeypatch):
    store = Store(tmp_path)
    for seed in range(2):
        store.add(items.vector("a", seed))
    assert names(store) == ["a"]
    real, left = store._removal._erase, [1]

    def erase(name, number):
        if not left:
            raise OSError(5, "Input/output error")
        real(name, left.pop() and number)

    monkeypatch.setattr(store._removal, "_erase", erase)
    with pytest.raises(steer.FailedPrecondition, match="Input/output error"):
        store.delete("a")
    # The second is marked and not erased.
    assert names(store) == [] and [*store._versions.folder("a").cards] == [2]
    assert store.verify().damage == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "x"}', '{"format": "steer.index/2"}'])
def test_an_index_that_can_not_be_read_is_made_again(text, tmp_path):
    store = Store(tmp_path)
    store.add(items.vector("a"))
    (tmp_path / module.FILE).write_text(text)
    assert Store(tmp_path).names() == ["a"]


def test_an_index_with_other_fields_is_not_believed(tmp_path):
    store = Store(tmp_path)
    store.add(items.vector("a"))
    past = time.time_ns() - 60 * 10**9
    os.utime(tmp_path / "a", ns=(past, past))
    for row in ([past, True, ["a"]], [past, True, 3], [past, True, "x"], [past], 3, None):
        raw = {"format": "steer.index/2", "fields": FIELDS, "rows": {"a": row}}
        (tmp_path / module.FILE).write_text(json.dumps(raw))
        assert names(Store(tmp_path)) == ["a"]
    raw = {"format": "steer.index/2", "fields": ["name"], "rows": {"a": [past, True, ["b"]]}}
    (tmp_path / module.FILE).write_text(json.dumps(raw))
    assert names(Store(tmp_path)) == ["a"]


def test_a_store_that_can_not_be_written_is_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_WORTH_KEEPING", 1)
    store = Store(tmp_path)
    store.add(items.vector("a"))

    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    fresh = Store(tmp_path)
    monkeypatch.setattr(fresh._versions.files, "replace", refuse)
    assert fresh.names() == ["a"] and not (tmp_path / module.FILE).exists()
