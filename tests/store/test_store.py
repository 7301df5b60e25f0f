"""The store: exact round trips, versions, addresses, deletion; on a folder and in memory."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store import Card, Store, Vector, bundled, content_hash
from steer.types import (
    Decay,
    DecayShape,
    Marker,
    Phase,
    Point,
    Range,
    Site,
    Strength,
    Unit,
    Where,
)
from tests.store import items

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


def vector(name: str, seed: int = 0, **card: object) -> Vector:
    draw = np.random.default_rng(seed)
    tensors = {site: draw.standard_normal(8).astype(np.float32) for site in SITES}
    return Vector(name, tensors, replace(CARD, **card))


def test_what_was_put_comes_back_byte_for_byte(store):
    given = vector("a/b")
    put = store.put(given)
    for reader in (store, Store(store.root)):
        got = reader.get("a/b")
        filled = {"sha256": put.card.sha256, "norms": put.norms(), "content_hash": put.content_hash}
        assert got.card == put.card == replace(CARD, **filled)
        assert got.content_hash == put.content_hash == content_hash(given.tensors)
        for site, array in given.tensors.items():
            assert got.tensors[site].tobytes() == array.tobytes()
            assert got.tensors[site].dtype == np.float32
    assert Card.from_json(put.card.to_json()) == put.card


def test_names_are_sorted_and_only_names(store):
    assert store.names() == []
    for name in ("b", "a/z", "a", "c.d-e_f"):
        store.put(vector(name))
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
    "a/card.json",
    "a/b.safetensors",
    "@2",
    "a" * 201,
]
BAD_ADDRESSES = [
    "a@",
    "a@0",
    "a@01",
    "a@-1",
    "a@x",
    "a@2@3",
    "a@sha256:0123abc",
    "a@sha256:XYZ12345",
]


@pytest.mark.parametrize("name", [*BAD_NAMES, *BAD_ADDRESSES])
def test_a_name_is_never_a_path(store, name):
    uses = (store.get, store.delete, lambda n: store.refer(n, "r"), lambda n: store.put(vector(n)))
    for use in uses:
        with pytest.raises(InvalidRequest, match="not a vector name") as caught:
            use(name)
        assert caught.value.reason == "BAD_NAME"


def test_what_is_not_there_lists_what_there_is(store):
    with pytest.raises(NotFound, match="the store is empty"):
        store.get("x")
    store.put(vector("a"))
    for address in ("x", "x@2", "x@sha256:01234567"):
        with pytest.raises(NotFound, match="stored: a") as caught:
            store.get(address)
        assert caught.value.reason == "VECTOR_NOT_FOUND"
    with pytest.raises(NotFound, match="no version 2 of 'a'; it has 1"):
        store.get("a@2")
    with pytest.raises(NotFound, match="no version sha256:01234567 of 'a'; it has 1"):
        store.get("a@sha256:01234567")


ONES = np.ones(8, np.float32)
BAD = [
    ({Site(0): np.full(8, np.nan)}, "NaN or infinity"),
    ({Site(0): np.full(8, np.inf)}, "NaN or infinity"),
    ({Site(0): np.full(8, 1e300)}, "NaN or infinity"),
    ({Site(0): np.zeros(8)}, "all zero"),
    ({Site(0): np.ones(7)}, r"want \(8,\)"),
    ({Site(0): np.ones((8, 1))}, r"want \(8,\)"),
    ({Site(1): ONES}, "unknown resid_post.1"),
]


@pytest.mark.parametrize(("change", "says"), BAD)
def test_what_can_not_be_used_is_not_stored(store, change, says):
    item = vector("a")
    with pytest.raises(InvalidRequest, match=says):
        store.put(replace(item, tensors={**item.tensors, **change}))
    with pytest.raises(InvalidRequest, match="missing"):
        store.put(replace(item, tensors={Site(0): ONES}))
    assert store.names() == [] and store.verify().leftovers == ()


BAD_CARDS = [
    ({"measured": {"share": float("nan")}}, "not JSON compliant"),
    ({"parameters": {"f": np.float32(1)}}, "not JSON serializable"),
    ({"kind": "pickle"}, "'pickle' is none of direction"),
    ({"d_model": "wide"}, "wide"),
]


@pytest.mark.parametrize(("change", "says"), BAD_CARDS)
def test_a_card_that_could_not_be_read_back_is_not_stored(store, change, says):
    with pytest.raises(InvalidRequest, match=says):
        store.put(vector("a", **change))
    assert store.names() == []


def test_every_put_is_a_version_and_the_name_means_the_newest(store):
    for seed in range(3):
        store.put(vector("a", seed))
    store.put(vector("a", 2, description="another card"))
    wanted = [content_hash(vector("a", seed).tensors) for seed in (0, 1, 2, 2)]
    for reader in (store, Store(store.root)):
        assert [reader.get(f"a@{n}").content_hash for n in (1, 2, 3, 4)] == wanted
        assert reader.get("a").card.description == "another card"
        assert reader.names() == ["a"]
        versions = reader.versions("a")
        assert [version.number for version in versions] == [1, 2, 3, 4]
        assert len({version.digest for version in versions}) == 4
        for version in versions:
            assert reader.resolve(version.address) == version
            assert reader.resolve(f"a@{version.number}") == version
            assert reader.resolve(f"a@{version.digest[:15]}") == version
            assert reader.get(version.address).card == version.card


def test_a_receipts_hash_is_an_address_too(store):
    for seed in (0, 1):
        store.put(vector("a", seed))
    store.put(vector("a", 0, description="another card"))
    found = store.resolve(f"a@{store.get('a@1').content_hash}")
    assert found.number == 3 and store.resolve(f"a@{store.get('a@2').content_hash}").number == 2


def test_putting_the_newest_again_changes_nothing(store):
    first = store.put(vector("a", 0))
    assert store.put(vector("a", 0)).content_hash == first.content_hash
    assert store.put(first).card == first.card
    assert len(store.versions("a")) == 1
    store.put(vector("a", 1))
    store.put(vector("a", 0))
    versions = store.versions("a")
    assert [v.number for v in versions] == [1, 2, 3]
    assert versions[0].digest == versions[2].digest
    assert store.resolve(versions[0].address).number == 3


def test_an_ambiguous_hash_asks_for_more_digits(store, monkeypatch):
    store.put(vector("a", 0))
    version = store.resolve("a")
    twin = replace(version, digest=version.digest[:-1] + "x", number=2)
    monkeypatch.setattr(store._versions, "readable", lambda *_: [version, twin])
    with pytest.raises(InvalidRequest, match="begins 2 hashes of 'a'") as caught:
        store.get(f"a@{version.digest[:20]}")
    assert caught.value.reason == "AMBIGUOUS_VERSION"
    assert store.resolve(version.address) == version


def test_deleting_a_version_makes_the_one_before_the_newest(store):
    for seed in range(3):
        store.put(vector("a", seed))
    assert store.delete("a@3").removed == ("a@3",)
    for reader in (store, Store(store.root)):
        assert reader.resolve("a").number == 2
        with pytest.raises(NotFound, match="version 3 of 'a' was deleted"):
            reader.get("a@3")
    store.put(vector("a", 3))
    assert store.resolve("a").number == 4, "a number is never given twice"
    assert store.delete(store.resolve("a@1").address).removed == ("a@1",)
    assert [v.number for v in store.versions("a")] == [2, 4]
    assert store.verify().damage == ()


def test_deleting_a_name_leaves_nothing_of_it(store):
    for name in ("a", "a/b", "c"):
        store.put(vector(name, 0))
        store.put(vector(name, 1))
    assert store.delete("a").removed == ("a@1", "a@2")
    assert store.names() == ["a/b", "c"]
    for use in (store.get, store.delete, store.versions):
        with pytest.raises(NotFound, match="no vector named 'a'; stored: a/b, c"):
            use("a")
    assert store.get("a/b") and store.verify().versions == 4
    store.sweep(older_than=-1)
    assert store.verify().leftovers == ()
    store.put(vector("a", 5))
    assert store.resolve("a").number == 3


def test_versions_with_the_same_tensors_do_not_lose_them(store):
    store.put(vector("a", 0))
    store.put(vector("a", 0, description="b"))
    store.delete("a@2")
    store.sweep(older_than=-1)
    assert Store(store.root).get("a").tensors and store.verify().damage == ()


def test_what_is_referred_to_outlives_its_name(store):
    for seed in range(2):
        store.put(vector("a", seed))
    kept = store.refer("a@1", "run-1")
    store.refer(kept.address, "run-2")
    assert store.referrers("a@1") == ("run-1", "run-2") and store.referrers("a") == ()
    gone = store.delete("a")
    assert gone.removed == ("a@2",) and gone.kept == {kept.address: ("run-1", "run-2")}
    for reader in (store, Store(store.root)):
        assert reader.names() == [] and reader.page() == []
        for address in ("a", "a@1", "a@2"):
            with pytest.raises(NotFound):
                reader.get(address)
        assert reader.get(kept.address).content_hash == content_hash(vector("a", 0).tensors)
        reader.sweep(older_than=-1)
    assert store.refer(kept.address, "run-1").retired, "one that has a reference keeps it"
    with pytest.raises(NotFound, match="was deleted"):
        store.refer(kept.address, "run-3")
    assert store.delete(kept.address).kept == {kept.address: ("run-1", "run-2")}
    store.release(kept.address, "run-1")
    assert store.get(kept.address)
    store.release(kept.address, "run-2")
    with pytest.raises(NotFound):
        Store(store.root).get(kept.address)
    store.sweep(older_than=-1)
    report = store.verify()
    assert (report.versions, report.damage, report.leftovers) == (0, (), ())


def test_a_reference_says_who_in_a_word(store):
    store.put(vector("a"))
    for by in ("", "a/b", "..", ".x", "a b", "x" * 129):
        with pytest.raises(InvalidRequest, match="by: is"):
            store.refer("a", by)
    assert store.referrers("a") == ()


def test_one_can_be_sent_on_while_it_is_deleted(store):
    put = store.put(vector("a"))
    version, file = store.open("a")
    with file:
        store.delete("a")
        store.sweep(older_than=-1)
        assert len(file.read()) > 64 and version.card.sha256 == put.card.sha256


def test_all_kinds_live_in_one_store(store):
    for index, (what, item) in enumerate(items.every_kind().items()):
        store.put(replace(item, name=f"v{index}"))
        got = Store(store.root).get(f"v{index}")
        assert got.arrays().keys() == item.arrays().keys(), what
    assert store.verify().damage == () and store.verify().versions == index + 1


def test_the_bundled_store_is_whole():
    store = Store(bundled())
    report = store.verify()
    assert (report.damage, report.leftovers) == ((), ())
    assert report.versions == len(store.names()) > 0


def test_a_file_where_a_folder_should_be_is_a_bad_name(tmp_path):
    (tmp_path / "notes").write_text("")
    store = Store(tmp_path)
    with pytest.raises(InvalidRequest, match="a file or link in the store is called so"):
        store.put(vector("notes"))
    with pytest.raises(NotFound):
        store.get("notes")


def test_a_url_that_no_driver_knows_says_so():
    with pytest.raises(FailedPrecondition, match="nonesuch") as caught:
        Store("nonesuch://bucket")
    assert caught.value.reason == "STORE_UNKNOWN"


def test_what_a_version_is_without_reading_its_tensors(store):
    first, second = (store.add(items.vector("a", seed)) for seed in (0, 1))
    for reader in (store, Store(store.root)):
        info = reader.info("a")
        assert (info.version, info.digest, info.address) == (2, second.digest, second.address)
        assert info.card == second.card.to_dict() == reader.get("a").card.to_dict()
        assert info.norms == tuple(second.card.norms.values())
        assert reader.info("a@1") == reader.info(first.address)
        text = reader.card_text("a@1")
        assert first.digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    with pytest.raises(NotFound):
        store.card_text("a@3")


def test_what_is_there_already_is_known(store):
    card = items.CARD
    assert store.known("a", card, "0") is None
    version = store.add(items.vector("a"))
    sha256 = version.card.sha256
    assert store.known("a", card, sha256) == version
    assert store.known("a", version.card, sha256) == version
    assert store.known("a", card, "0" * 64) is None
    assert store.known("a", replace(card, description="x"), sha256) is None
    assert store.known("b", card, sha256) is None
    store.add(items.vector("a", seed=1))
    assert store.known("a", card, sha256) is None  # It is no longer the newest.
    with pytest.raises(InvalidRequest):
        store.known("../a", card, sha256)
