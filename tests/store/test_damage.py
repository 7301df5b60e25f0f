"""What is damaged is never handed out, says how, and can be told from what is only left over."""

import json
from pathlib import Path

import pytest

from steer.errors import FailedPrecondition, NotFound
from steer.store import KINDS, Store
from tests.store import items

EVERY = items.every_kind()


def card_of(folder: Path) -> Path:
    return folder / "card.json"


def tensors_of(folder: Path) -> Path:
    return next(folder.glob("*.safetensors"))


def edit(folder: Path, **change: object) -> None:
    card = json.loads(card_of(folder).read_text()) | change
    card_of(folder).write_text(json.dumps({k: v for k, v in card.items() if v is not ...}))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


DAMAGE = {
    "no tensors": (lambda f: tensors_of(f).unlink(), "vector.safetensors is missing"),
    "other tensors": (lambda f: tensors_of(f).write_bytes(b"x"), "not the file this card"),
    "a bit of a value": (lambda f: flip(tensors_of(f), -1), "not the file this card"),
    "a bit of the header": (lambda f: flip(tensors_of(f), 9), "not the file this card"),
    "cut off": (
        lambda f: tensors_of(f).write_bytes(tensors_of(f).read_bytes()[:-4]),
        "not the file this card",
    ),
    "empty card": (lambda f: card_of(f).write_text(""), "not JSON"),
    "half a card": (lambda f: card_of(f).write_text(card_of(f).read_text()[:99]), "not JSON"),
    "not text": (lambda f: card_of(f).write_bytes(b"\xff"), "utf-8"),
    "no sites": (lambda f: edit(f, sites=...), "sites: missing"),
    "other format": (lambda f: edit(f, format="x"), "format: want"),
    "other width": (lambda f: edit(f, d_model=9), "want"),
    "no such point": (lambda f: edit(f, sites=["x.0"]), "x"),
    "another site": (lambda f: edit(f, sites=["resid_post.7"]), "resid_post.7|norms: are of"),
    "not a number": (lambda f: edit(f, measured={"x": float("nan")}), "NaN"),
    "no such kind": (lambda f: edit(f, kind="pickle"), "'pickle' is none of"),
    "another kind": (
        lambda f: edit(f, kind="probe" if "direction" in card_of(f).read_text() else "direction"),
        "not those of the card|are not",
    ),
    "another hash": (lambda f: edit(f, content_hash="sha256:0"), "content_hash: the tensors have"),
    "a card that is a folder": (
        lambda f: (card_of(f).unlink(), card_of(f).mkdir()),
        "no vector named",
    ),
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("what", ["direction with spread", "low_rank", "probe", "sae gated"])
def test_damage_of_every_kind_is_refused_and_says_how(what, how, tmp_path):
    store = Store(tmp_path)
    store.add(items.replace(EVERY[what], name="a"))
    store.add(items.vector("b"))
    change, says = DAMAGE[how]
    change(tmp_path / "a")
    fresh = Store(tmp_path)
    expected = NotFound if how == "a card that is a folder" else FailedPrecondition
    with pytest.raises(expected, match=says.replace("vector.safetensors", "safetensors")) as caught:
        fresh.get("a")
    if expected is FailedPrecondition:
        assert caught.value.reason == "VECTOR_DAMAGED"
        assert [d.where for d in fresh.verify().damage] == ["a@1"]
        assert str(tmp_path) not in caught.value.message, "paths of the server stay there"
    assert fresh.get("b")


def test_every_kind_is_tried():
    assert {EVERY[what].kind for what in EVERY} == set(KINDS)


def test_one_damaged_version_does_not_spoil_the_others(tmp_path):
    store = Store(tmp_path)
    versions = [store.add(items.vector("a", seed)) for seed in range(3)]
    (tmp_path / "a/@2.json").write_text("{")
    fresh = Store(tmp_path)
    assert fresh.resolve("a").number == 3 and [v.number for v in fresh.versions("a")] == [1, 3]
    for version in (versions[0], versions[2]):
        assert fresh.get(version.address).card == version.card
    with pytest.raises(FailedPrecondition, match="'a@2' is damaged"):
        fresh.get("a@2")
    assert fresh.add(items.vector("a", 7)).number == 4
    assert fresh.delete("a@2").removed == ("a@2",)
    assert fresh.verify().damage == ()
    fresh.sweep(older_than=-1)
    assert [v.number for v in fresh.versions("a")] == [1, 3, 4] and fresh.get("a@1")


def test_a_damaged_newest_version_can_be_replaced_or_deleted(tmp_path):
    store = Store(tmp_path)
    store.add(items.vector("a"))
    (tmp_path / "a/card.json").write_text("{")
    assert store.add(items.vector("a")).number == 2
    assert store.get("a").kind == "direction"
    assert store.delete("a").removed == ("a@1", "a@2")


def test_verify_says_what_is_lost(tmp_path):
    store = Store(tmp_path)
    for seed in range(3):
        store.add(items.vector("a", seed))
    version = store.refer("a@2", "run-9")
    (tmp_path / "a/@2.json").unlink()
    damage = {d.where: d.problem for d in store.verify().damage}
    assert damage == {
        "a@2": "its card is missing",
        version.address: "run-9 refers to it, and it is not here",
    }


def test_what_is_left_over_is_no_damage(tmp_path):
    store = Store(tmp_path)
    store.add(items.vector("a"))
    (tmp_path / f"a/{'0' * 64}.safetensors").write_bytes(b"left")
    (tmp_path / "a/notes.txt").write_text("mine")
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "a/@1.json").write_text("{")
    store.upload("b", items.CARD, 10).close()
    report = store.verify()
    assert report.damage == () and len(report.leftovers) == 3
    assert store.sweep() == () and store.verify().leftovers == report.leftovers
    assert len(store.sweep(older_than=-1)) == 3
    assert store.verify().leftovers == () and (tmp_path / "a/notes.txt").exists()
