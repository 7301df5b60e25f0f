"""One's own vectors over those that are shipped."""

from dataclasses import replace
from pathlib import Path

import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store import Store, Vector, bundled, open_store, user_folder
from steer.store.overlay import Overlay
from tests.store import items


@pytest.fixture
def below(tmp_path: Path) -> Store:
    """Shipped: a, b twice, and c of another model."""
    store = Store(tmp_path / "below")
    for seed, name in enumerate(("a", "b", "b", "c")):
        item = items.vector(name, seed)
        store.add(replace(item, card=replace(item.card, model="n" if name == "c" else "m")))
    return store


@pytest.fixture
def store(tmp_path: Path, below: Store) -> Overlay:
    return Overlay(tmp_path / "upper", below)


def names(store: Store, **wanted: str) -> list[str]:
    return [info.name for info in store.page(**wanted)]


def test_what_is_below_is_there_as_it_is(store, below):
    assert store.names() == names(store) == ["a", "b", "c"]
    assert names(store, model="n") == ["c"]
    assert store.get("b@1").content_hash == below.get("b@1").content_hash
    assert store.resolve("b") == below.resolve("b")
    assert [version.number for version in store.versions("b")] == [1, 2]
    version, file = store.open("a")
    with file:
        assert version == below.resolve("a") and len(file.read()) > 0
    assert not (Path(store.root)).exists()


def test_a_name_above_hides_the_one_below(store, below):
    old = store.resolve("b@2")
    version = store.add(items.vector("b", seed=9))
    assert (version.number, store.resolve("b")) == (1, version)
    assert store.get("b").content_hash == version.card.content_hash
    assert [one.number for one in store.versions("b")] == [1]
    with pytest.raises(NotFound, match="it has 1"):
        store.get("b@2")
    # A hash that was recorded is found all the same, also that of the content.
    assert store.resolve(old.address) == old
    assert store.get(f"b@{old.card.content_hash}").content_hash == old.card.content_hash
    assert store.resolve(version.address) == version
    assert below.resolve("b") == old
    assert store.names() == names(store) == ["a", "b", "c"]


def test_pages_are_of_both(store):
    for name in ("aa", "b", "d"):
        store.add(replace(items.vector(name), card=replace(items.CARD, model="o")))
    assert names(store) == ["a", "aa", "b", "c", "d"]
    assert names(store, model="m") == ["a"]
    assert names(store, model="n") == ["c"]
    found: list[str] = []
    while page := store.page(found[-1] if found else "", 2):
        found += [info.name for info in page]
    assert found == ["a", "aa", "b", "c", "d"]


def test_what_is_below_is_told_from_what_is_above(store, below):
    store.add(items.vector("b", seed=9))
    assert {info.name: info.bundled for info in store.page()} == {"a": True, "b": False, "c": True}
    assert store.info("a").bundled and not store.info("b").bundled
    assert store.info(below.resolve("b").address).bundled
    assert store.info("b@1").version == 1
    assert store.card_text("a") == below.card_text("a")
    assert store.card_text("b") != below.card_text("b")


def test_a_page_is_full_when_what_would_fill_it_is_hidden(store):
    for name in ("a", "b"):
        store.add(replace(items.vector(name), card=replace(items.CARD, model="o")))
    assert [info.name for info in store.page("", 1, model="n")] == ["c"]


def test_what_is_below_can_not_be_deleted(store, below):
    for address in ("a", "b@1", below.resolve("b").address):
        with pytest.raises(FailedPrecondition, match="shipped with the server") as caught:
            store.delete(address)
        assert caught.value.reason == "BUNDLED"
    assert below.names() == ["a", "b", "c"]
    store.add(items.vector("a", seed=9))
    assert store.delete("a").removed == ("a@1",)
    assert store.resolve("a") == below.resolve("a")


def test_references_to_what_is_below_need_no_mark(store, below):
    version = store.refer("a", "run-1")
    assert version == below.resolve("a")
    assert store.referrers("a") == below.referrers("a") == ()
    store.release("a", "run-1")
    own = store.add(items.vector("d"))
    store.refer("d", "run-1")
    assert store.referrers("d") == ("run-1",)
    store.delete("d")
    assert store.get(own.address)
    store.release(own.address, "run-1")
    with pytest.raises(NotFound):
        store.get(own.address)


def test_what_is_nowhere_is_told_with_the_names_of_both(store):
    store.add(items.vector("d"))
    for use in (store.get, store.resolve, store.delete, store.open, store.versions):
        with pytest.raises(NotFound, match="stored: a, b, c, d"):
            use("x")
        with pytest.raises(InvalidRequest, match="not a vector name"):
            use("../x")


def test_the_default_is_the_users_folder_over_the_bundled_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert user_folder() == tmp_path / "data/steer/store"
    store = open_store(None)
    assert "a1-rloo" in store.names()
    assert store.sweep() == () and not (tmp_path / "data").exists()
    assert isinstance(store.put(items.vector("mine")), Vector)
    assert Store(tmp_path / "data/steer/store").names() == ["mine"]
    assert Store(bundled()).names() == [name for name in store.names() if name != "mine"]
    assert open_store(tmp_path / "other", with_bundled=False).names() == []
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert user_folder() == tmp_path / "home/.local/share/steer/store"


def test_a_url_is_not_a_path(tmp_path):
    assert open_store("memory://x").root == "memory://x"
    with pytest.raises(FailedPrecondition, match="nosuch://x/y can not be opened"):
        open_store("nosuch://x/y")


@pytest.fixture(params=["file", "device"])
def closed(request, tmp_path, below) -> Overlay:
    """A store where nobody can write, root neither."""
    (tmp_path / "file").write_text("")
    return Overlay({"file": tmp_path / "file/store", "device": "/dev/null"}[request.param], below)


def test_where_nothing_can_be_written_all_is_read_and_every_change_says_so(closed):
    assert closed.names() == ["a", "b", "c"]
    assert closed.get("a").tensors
    changes = {
        "put": lambda: closed.put(items.vector("x")),
        "upload": lambda: closed.upload("x", items.CARD, 8),
    }
    for change in changes.values():
        with pytest.raises(FailedPrecondition, match=r"'x' can not be stored in .*: ") as caught:
            change()
        assert caught.value.reason == "STORE_NOT_WRITABLE"
    with pytest.raises(NotFound):
        closed.resolve("x")
    assert closed.sweep() == ()
    assert closed.verify().damage == ()
