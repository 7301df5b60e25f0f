"""VectorService beside transfers: listing, looking at, versions, deletion, algebra, checking."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import steer
import steer.v1 as pb
from steer.store import Card, Store, Vector, bundled
from steer.store.overlay import Overlay
from steer.types import Removed, Site
from tests.server.conftest import Serve
from tests.server.items import probe, sae
from tests.server.messages import refusal
from tests.server.storekeeping import Kept, keeping
from tests.store import items

SHIPPED = Store(bundled()).names()

ONE, TWO = items.SITES


@pytest.fixture
def kept(tmp_path_factory):
    with keeping(tmp_path_factory.mktemp("k")) as running:
        yield running


def along(name: str, *numbers: float, **card: object) -> Vector:
    """A direction of width 8 at the sites of the tests' items, from its first numbers."""
    array = np.zeros(items.D, "f4")
    array[: len(numbers)] = numbers
    return Vector(name, dict.fromkeys(items.SITES, array), replace(items.CARD, **card))


def test_a_page_has_versions_and_says_what_is_shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("k")
    with keeping(folder, Overlay(folder / "store", Store(bundled()))) as kept:
        for seed in range(3):
            kept.store.add(items.vector("v", seed))
        found = {info.name: info for info in kept.client.vectors.list()}
        assert list(found) == [*SHIPPED, "v"]
        assert [name for name, info in found.items() if info.bundled] == SHIPPED
        assert (found["v"].version, found["v"].digest) == (3, kept.store.resolve("v").digest)
        assert found["v"].card == {} and found["v"].statistics == ()
        with pytest.raises(steer.FailedPrecondition, match="shipped with the server") as caught:
            kept.client.vectors.delete("a1-dom")
        assert (caught.value.reason, caught.value.violations[0].field) == ("BUNDLED", "name")
        assert kept.client.vectors.get("a1-dom").bundled
        assert kept.client.vectors.verify().versions == len(SHIPPED) + 3


def test_pages_begin_behind_a_name_alone(kept):
    for token in ("../x", "A", "a@2", "\0"):
        error = refusal(kept.stub.ListVectors, pb.ListVectorsRequest(page_token=token))
        assert (error.reason, error.violations[0].field) == ("BAD_TOKEN", "page_token")
    kept.store.add(items.vector("v"))
    for token, names in (("gone", ["v"]), ("w", [])):
        answer = kept.stub.ListVectors(pb.ListVectorsRequest(page_token=token))
        assert [one.name for one in answer.vectors] == names


def test_long_descriptions_make_shorter_pages(kept, monkeypatch):
    """Together they would be more than a message may hold, and nothing could be listed."""
    monkeypatch.setattr("steer.server.paging.LARGEST_ANSWER", 5000)
    for n in range(7):
        kept.store.add(along(f"v{n}", 1.0, n, description="x" * 2000))
    kept.store.add(along("w", 1.0, description="x" * 9000))
    page = kept.stub.ListVectors(pb.ListVectorsRequest(page_size=100))
    assert (len(page.vectors), page.next_page_token) == (2, "v1")
    assert len(list(kept.client.vectors.list())) == 8
    with pytest.raises(steer.InvalidRequest, match=r"card: has \d+ characters, want at most"):
        kept.store.add(along("x", 1.0, description="x" * (1 << 20)))


def test_versions(kept):
    added = [kept.store.add(items.vector("v", seed)) for seed in range(3)]
    kept.client.vectors.delete("v@2")
    found = kept.client.vectors.versions("v")
    assert [(one.version, one.digest) for one in found] == [
        (version.number, version.digest) for version in (added[0], added[2])
    ]
    assert kept.client.vectors.get("v@1").digest == added[0].digest
    assert kept.client.vectors.get(added[0].address).version == 1
    for name, reason in (("w", "VECTOR_NOT_FOUND"), ("v@1", "BAD_NAME"), ("../v", "BAD_NAME")):
        with pytest.raises(steer.SteerError) as caught:
            kept.client.vectors.versions(name)
        assert caught.value.reason == reason
        assert [violation.field for violation in caught.value.violations] == ["name"]


def test_sizes_are_told_from_the_card(kept):
    kept.store.add(along("v", 3, 4, residual_norms={ONE: 10.0}))
    first, second = kept.client.vectors.get("v").statistics
    assert (first.site, first.norm, first.relative_norm) == (ONE, 5, 0.5)
    assert (second.site, second.norm, second.relative_norm) == (TWO, 5, None)
    assert first.nearest == first.top == first.bottom == ()


def test_the_nearest_are_of_the_same_model_at_the_same_site(kept):
    add = kept.store.add
    add(along("v", 1, 0))
    add(along("same", 7, 0))
    add(along("near", 1, 1))
    add(along("far", 0, 1))
    add(along("opposite", -1, 0))
    add(along("elsewhere", 1, 0, fingerprint="sha256:other"))
    one_site = along("one", 2, 1)
    add(
        replace(
            one_site, tensors={TWO: one_site.tensors[TWO]}, card=replace(items.CARD, sites=(TWO,))
        )
    )
    add(items.dictionary(name="sae"))
    reader = items.probe("p")
    tensors = {s: replace(t, weight=along("", 1, 2).tensors[s]) for s, t in reader.sites.items()}
    add(replace(reader, sites=tensors))
    first, second = kept.client.vectors.get("v", nearest=5).statistics
    assert [near.name for near in first.nearest] == ["same", "near", "p", "far", "opposite"]
    cosines = [1, 0.5**0.5, 0.2**0.5, 0, -1]
    assert [near.cosine for near in first.nearest] == pytest.approx(cosines)
    assert [near.name for near in second.nearest] == ["same", "one", "near", "p", "far"]
    assert [n.name for n in kept.client.vectors.get("p", nearest=1).statistics[0].nearest] == [
        "near"
    ]
    assert kept.client.vectors.get("elsewhere", nearest=9).statistics[0].nearest == ()
    # One that is damaged is left out.
    (file,) = Path(kept.store.root, "same").glob("*.safetensors")
    file.write_bytes(b"?")
    fresh = Store(kept.store.root)
    assert fresh.info("v").version == 1
    kept.store._loaded._kept.clear()
    names = [near.name for near in kept.client.vectors.get("v", nearest=9).statistics[0].nearest]
    assert names == ["near", "p", "far", "opposite"]


@pytest.mark.parametrize(
    ("name", "asked", "field", "reason"),
    [
        ("v", {"nearest": 101}, "nearest", "OUT_OF_RANGE"),
        ("v", {"tokens": 101}, "tokens", "OUT_OF_RANGE"),
        ("sae", {"nearest": 1}, "nearest", "WRONG_KIND"),
        ("sae", {"tokens": 1}, "tokens", "WRONG_KIND"),
        ("w", {}, "name", "VECTOR_NOT_FOUND"),
        ("v@9", {}, "name", "VECTOR_NOT_FOUND"),
        ("v@sha256:00000000", {}, "name", "VECTOR_NOT_FOUND"),
        ("..", {"nearest": 1}, "name", "BAD_NAME"),
    ],
)
def test_what_can_not_be_told_is_refused(kept, name, asked, field, reason):
    kept.store.add(items.vector("v"))
    kept.store.add(items.dictionary(name="sae"))
    error = refusal(kept.stub.GetVector, pb.GetVectorRequest(name=name, **asked))
    assert [(v.field, v.reason) for v in error.violations] == [(field, reason)]


def test_the_lens_needs_the_model(kept):
    kept.store.add(items.vector("v"))
    with pytest.raises(steer.Unavailable, match="loading"):
        kept.client._unary(_get("v", tokens=1), 5.0)


def _get(name: str, **asked: int):
    from steer.client import vector_calls

    return vector_calls.get(name, asked.get("nearest", 0), asked.get("tokens", 0))


def test_the_lens_of_the_served_model(serve: Serve, tmp_path):
    store = Store(tmp_path / "store")
    served = serve(store=tmp_path / "store")
    model = served.client.model()
    fingerprint = model.fingerprint
    store.add(replace(probe(64, fingerprint), name="p"))
    store.add(replace(sae(64, fingerprint), name="sae"))
    narrow = Card("other", "sha256:other", 8, (Site(0),), "test")
    store.add(Vector("narrow", {Site(0): np.ones(8, "f4")}, narrow))
    vectors = served.client.vectors
    (site,) = vectors.get("a1-rloo", tokens=3, nearest=1).statistics
    assert [one.name for one in site.nearest] == ["a1-dom"]
    assert len(site.top) == len(site.bottom) == 3
    assert site.top[0].logit > site.top[2].logit > 0 > site.bottom[2].logit > site.bottom[0].logit
    # The pieces are the model's own tokens.
    pieces = served.client.tokenize(token_ids=[token.token_id for token in site.top]).pieces
    assert tuple(token.piece for token in site.top) == pieces
    assert len(vectors.get("p", tokens=2).statistics[0].top) == 2
    # Twice the direction says the same, the opposite one the reverse.
    vectors.combine("double", "2*a1-rloo")
    vectors.combine("reverse", "-a1-rloo")
    (double,), (reverse,) = (
        vectors.get(name, tokens=3).statistics for name in ("double", "reverse")
    )
    assert [token.token_id for token in double.top] == [token.token_id for token in site.top]
    assert reverse.nearest == () and reverse.norm == site.norm
    for name, reason in (("narrow", "WIDTH_MISMATCH"), ("sae", "WRONG_KIND")):
        with pytest.raises(steer.FailedPrecondition) as caught:
            vectors.get(name, tokens=1)
        assert caught.value.violations[0].field == "tokens"
        assert caught.value.reason == reason


def test_deleting(kept):
    added = [kept.store.add(items.vector("v", seed)) for seed in range(3)]
    kept.store.refer("v@2", "run-1")
    kept.store.refer("v@2", "run-2")
    removed = kept.client.vectors.delete("v@1")
    assert removed == Removed(("v@1",), {})
    removed = kept.client.vectors.delete("v")
    assert removed == Removed(("v@3",), {added[1].address: ("run-1", "run-2")})
    assert list(kept.client.vectors.list()) == []
    assert kept.client.vectors.get(added[1].address).version == 2
    kept.store.release(added[1].address, "run-1")
    kept.store.release(added[1].address, "run-2")
    for address in (added[1].address, "v", "v@2", "x"):
        with pytest.raises(steer.NotFound) as caught:
            kept.client.vectors.delete(address)
        assert caught.value.violations[0].field == "name"
    assert kept.files == {f"v/@{number}.gone" for number in (1, 2, 3)}


def test_combining(kept):
    kept.store.add(along("a", 2, 0, licence="MIT"))
    kept.store.add(along("team/b", 0, 4))
    info = kept.client.vectors.combine("c", "a - team/b / 4", description="a less b")
    assert (info.version, info.description, info.method) == (1, "a less b", "combination")
    parents = info.card["method"]["parameters"]["parents"]
    assert parents == {name: kept.store.resolve(name).address for name in ("a", "team/b")}
    assert kept.store.get("c").tensors[ONE][:2].tolist() == [2, -1]
    for name, text, field, reason in (
        ("../c", "a", "name", "BAD_NAME"),
        ("c", "a +", "expression", "BAD_EXPRESSION"),
        ("c", "a - a", "expression", "ZERO_VECTOR"),
        ("c", "a + x", "expression", "VECTOR_NOT_FOUND"),
    ):
        with pytest.raises(steer.SteerError) as caught:
            kept.client.vectors.combine(name, text)
        assert [(v.field, v.reason) for v in caught.value.violations] == [(field, reason)]
    assert [one.version for one in kept.client.vectors.versions("c")] == [1]


def test_an_expression_in_a_request(serve: Serve):
    served = serve()
    prompt = "quiz 3 : d a h c c f ="
    served.client.vectors.combine("mixed", "a1-rloo - 0.5*a1-dom")
    result = served.client.compare(
        prompt,
        arms={
            "stored": steer.add("mixed", strength=1),
            "sent": steer.add("a1-rloo - 0.5*a1-dom", strength=1),
            "same": steer.add("orthogonal_to(a1-rloo, a1-dom)", strength=1),
            "built": steer.orthogonal_to("a1-rloo", "a1-dom", strength=1),
        },
        max_tokens=8,
    )
    assert result["sent"].token_ids == result["stored"].token_ids
    assert result["same"].token_ids == result["built"].token_ids
    stored, sent = (result[name].receipts[0] for name in ("stored", "sent"))
    assert (sent.content_hash, sent.mean_change) == (stored.content_hash, stored.mean_change)
    assert sent.operand == "a1-rloo - 0.5*a1-dom"


def test_everything_is_checked(kept):
    for seed in range(2):
        kept.store.add(items.vector("v", seed))
    report = kept.client.vectors.verify()
    assert (report.versions, report.damage, report.leftovers) == (2, (), ())
    file = Path(kept.store.root, "v", f"{kept.store.resolve('v@1').card.sha256}.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    (Path(kept.store.root) / "v" / f"{'0' * 64}.safetensors").write_bytes(b"")
    report = kept.client.vectors.verify()
    assert [damage.where for damage in report.damage] == ["v@1"]
    assert "sha256" in report.damage[0].problem
    assert report.leftovers == (f"v/{'0' * 64}.safetensors",)


def test_where_nothing_can_be_written_every_change_says_so(tmp_path_factory):
    folder = tmp_path_factory.mktemp("k")
    (folder / "file").write_text("")
    store = Overlay(folder / "file" / "store", Store(bundled()))
    with keeping(folder, store) as kept:
        vectors = kept.client.vectors
        assert [info.name for info in vectors.list()] == SHIPPED
        assert vectors.get("a1-dom", nearest=1).statistics[0].nearest[0].name == "a1-rloo"
        card = {"model": {"id": "m", "fingerprint": "f"}}
        for change in (
            lambda: vectors.upload("x", {0: [1.0, 2.0]}, card=card),
            lambda: vectors.combine("x", "a1-dom - a1-rloo"),
            lambda: vectors.import_({"v.gguf": _gguf(kept, folder)}, "x", served=False),
        ):
            with pytest.raises(steer.FailedPrecondition, match="'x' can not be stored") as caught:
                change()
            assert caught.value.reason == "STORE_NOT_WRITABLE"
            assert str(folder / "file" / "store") in caught.value.message
            assert [violation.field for violation in caught.value.violations] == ["store"]


def _gguf(kept: Kept, folder: Path) -> bytes:
    path = folder / "v.gguf"
    if not path.exists():
        kept.client.vectors.export("a1-dom", "gguf", path)
    return path.read_bytes()
