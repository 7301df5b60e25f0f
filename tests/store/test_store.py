"""The store: exact round trips, atomic writes, and nothing damaged is ever handed out."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store import Card, Store, Vector, content_hash
from steer.store import store as module
from steer.types import Decay, DecayShape, Marker, Phase, Point, Range, Site, Strength, Unit, Where

SITES = (Site(0), Site(2, Point.MLP_OUT))
CARD = Card(
    model="m",
    fingerprint="sha256:f",
    d_model=8,
    sites=SITES,
    method="test",
    residual_norms={Site(0): 2.5},
    strength=Strength(0.5, Unit.RELATIVE),
    where=Where(
        Phase.DECODE,
        ranges=(Range(-3, None),),
        token_ids=(3,),
        markers=(Marker("<think>", until="</think>"), Marker(regex=r"\n\n", tokens=4)),
        every=2,
        decay=Decay(DecayShape.LINEAR, 7),
    ),
    parameters={"n": 3, "of": ["ü", 1.5]},
    licence="Apache-2.0",
)


def tensors(seed: int = 0) -> dict[Site, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {site: draw.standard_normal(8).astype(np.float32) for site in SITES}


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def test_what_was_put_comes_back_byte_for_byte(store):
    put = store.put(Vector("a/b", tensors(), CARD))
    for reader in (store, Store(store.root)):
        got = reader.get("a/b")
        assert got.card == put.card == replace(CARD, sha256=put.card.sha256, norms=put.card.norms)
        assert got.content_hash == put.content_hash
        for site, array in tensors().items():
            assert got.tensors[site].tobytes() == array.tobytes()
            assert got.tensors[site].dtype == np.float32
    assert Card.from_json(put.card.to_json()) == put.card


def test_names_are_sorted_and_only_names(store):
    assert store.names() == []
    for name in ("b", "a/z", "a", "c.d-e_f"):
        store.put(Vector(name, tensors(), CARD))
    (store.root / "Not A Name").mkdir()
    (store.root / "Not A Name/card.json").write_text("{}")
    assert store.names() == ["a", "a/z", "b", "c.d-e_f"]


BAD_NAMES = [
    "",
    "..",
    "../x",
    "a/../b",
    "a/..",
    "/a",
    "a/",
    "a//b",
    "a/b/c",
    "A",
    ".a",
    "a b",
    "a\n",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_is_never_a_path(store, name):
    for use in (lambda: store.get(name), lambda: store.put(Vector(name, tensors(), CARD))):
        with pytest.raises(InvalidRequest, match="not a vector name") as caught:
            use()
        assert caught.value.reason == "BAD_NAME"


def test_an_unknown_name_lists_what_there_is(store):
    with pytest.raises(NotFound, match="the store is empty"):
        store.get("x")
    store.put(Vector("a", tensors(), CARD))
    with pytest.raises(NotFound, match="stored: a"):
        store.get("x")


def one(value: object) -> dict[Site, object]:
    return {**tensors(), Site(0): value}


BAD = [
    (one(np.full(8, np.nan, np.float32)), "NaN or infinity"),
    (one(np.full(8, np.inf, np.float32)), "NaN or infinity"),
    (one(np.zeros(8, np.float32)), "all zero"),
    (one(np.ones(7, np.float32)), r"want float32 \(8,\)"),
    (one(np.ones((8, 1), np.float32)), r"want float32 \(8,\)"),
    ({Site(0): np.ones(8, np.float32)}, "are not those of the card"),
    ({**tensors(), Site(1): np.ones(8, np.float32)}, "are not those of the card"),
]


@pytest.mark.parametrize(("arrays", "says"), BAD)
def test_what_can_not_be_used_is_not_stored(store, arrays, says):
    with pytest.raises(InvalidRequest, match=says):
        store.put(Vector("a", arrays, CARD))
    assert store.names() == []


def test_a_failed_write_leaves_what_was_there(store, monkeypatch):
    before = store.put(Vector("a", tensors(1), CARD))

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(module.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        store.put(Vector("a", tensors(2), CARD))
    monkeypatch.undo()
    assert Store(store.root).get("a").content_hash == before.content_hash
    assert sorted(p.name for p in (store.root / "a").iterdir()) == [
        "card.json",
        "vector.safetensors",
    ]


def tamper(folder, change) -> None:
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))


DAMAGE = [
    (lambda folder: (folder / "vector.safetensors").unlink(), "No such file"),
    (lambda folder: (folder / "vector.safetensors").write_bytes(b"x"), "is not the file this card"),
    (lambda folder: (folder / "card.json").write_text("{"), "not JSON"),
    (lambda folder: (folder / "card.json").write_bytes(b"\xff"), "utf-8"),
    (lambda folder: tamper(folder, lambda card: card.pop("sites")), "sites: missing"),
    (lambda folder: tamper(folder, lambda card: card.update(format="x")), "format: want"),
    (lambda folder: tamper(folder, lambda card: card.update(d_model=9)), "want float32"),
    (lambda folder: tamper(folder, lambda card: card.update(sites=["x.0"])), "x"),
    (
        lambda folder: tamper(folder, lambda card: card.update(sites=["resid_post.1"])),
        "missing resid_post.1",
    ),
    (lambda folder: tamper(folder, lambda card: card.update(data_hash=float("nan"))), "NaN"),
]


@pytest.mark.parametrize(("change", "says"), DAMAGE)
def test_damaged_files_are_refused_and_say_how(store, change, says):
    store.put(Vector("a", tensors(), CARD))
    assert store.get("a")
    change(store.root / "a")
    with pytest.raises(FailedPrecondition, match=says) as caught:
        Store(store.root).get("a")
    assert caught.value.reason == "VECTOR_DAMAGED"


def test_readers_and_writers_at_once(store):
    """A reader always sees a whole vector, and the last writer leaves one."""
    for seed in range(2):
        store.put(Vector("a", tensors(seed), CARD))
    allowed = {content_hash(tensors(seed)) for seed in range(2)}

    def read(_: int) -> str:
        return Store(store.root).get("a").content_hash

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(store.put, Vector("a", tensors(i % 2), CARD)) for i in range(40)]
        seen = set(pool.map(read, range(80)))
        assert all(write.result() for write in writes)
    assert seen <= allowed
    assert store.get("a").content_hash in allowed
