"""Foreign files over a real channel: every family in, what can be written out, and what is bad."""

import io
import os
import pickle
import tempfile
import zipfile
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import steer
import steer.v1 as pb
from steer.client.async_client import AsyncClient
from steer.foreign import Options
from steer.store import Architecture
from steer.types import Point, Site
from tests.formats import build
from tests.formats.build import fixture
from tests.formats.valid import VALID
from tests.formats.writers.test_writers import VECTOR, same
from tests.server.conftest import Serve
from tests.server.messages import refusal
from tests.server.storekeeping import Kept, keeping
from tests.store import items


@pytest.fixture
def kept(tmp_path_factory):
    with keeping(tmp_path_factory.mktemp("k")) as running:
        yield running


def told(options: Options) -> dict[str, Any]:
    """Options as the SDK takes them; these files are for no model that is served."""
    given = {field.name: getattr(options, field.name) for field in fields(options)}
    return {k: v for k, v in given.items() if v not in (None, "")} | {"served": False}


@pytest.mark.parametrize("name", VALID)
def test_every_family_is_understood_and_stored(kept, name):
    make, options = VALID[name]
    files, said = make(), told(options)
    account = kept.client.vectors.import_(files, dry_run=True, **said).account
    assert account.sites and account.d_model and account.convention
    assert kept.store.names() == []
    imported = kept.client.vectors.import_(files, "x", licence="MIT", **said)
    assert imported.account == account
    assert str(imported) == "\n".join(account.lines())
    vector = imported.vector
    assert (vector.kind, vector.d_model, vector.sites) == (
        account.kind,
        account.d_model,
        account.sites,
    )
    assert vector.norms == pytest.approx(account.norms) and vector.licence == "MIT"
    assert kept.store.get("x").kind == vector.kind
    assert kept.store.verify().damage == kept.store.verify().leftovers == ()


def test_a_file_a_folder_and_bytes_are_the_same(kept, tmp_path):
    files = fixture("repeng")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/vector.gguf").write_bytes(files["vector.gguf"])
    (tmp_path / ".hidden").write_text("")
    sources = (tmp_path, tmp_path / "deep/vector.gguf", {"v.gguf": files["vector.gguf"]})
    found = [kept.client.vectors.import_(one, "x", served=False).vector for one in sources]
    assert found[0] == found[1] == found[2]
    with pytest.raises(steer.NotFound, match="no such file"):
        kept.client.vectors.import_(tmp_path / "none", "x")
    with pytest.raises(TypeError, match="lair"):
        kept.client.vectors.import_(tmp_path, "x", lair=1)
    with pytest.raises(steer.InvalidRequest, match="no point"):
        kept.client.vectors.import_(tmp_path, "x", point="there")


async def test_the_same_for_asyncio(kept, tmp_path):
    async with AsyncClient(kept.address) as client:
        files = {"v.gguf": fixture("repeng")["vector.gguf"]}
        imported = await client.vectors.import_(files, "x", served=False)
        exported = await client.vectors.export("x", "gguf", tmp_path / "x.gguf")
    assert exported.paths == (tmp_path / "x.gguf",)
    again = kept.client.vectors.import_(tmp_path / "x.gguf", "y", served=False)
    assert again.vector.content_hash == imported.vector.content_hash


def test_what_is_for_the_served_model_is_bound_to_it(serve: Serve, tmp_path):
    served = serve()
    vectors, model = served.client.vectors, served.client.model()
    vectors.export("a1-rloo", "gguf", tmp_path / "v.gguf")
    imported = vectors.import_(tmp_path / "v.gguf", "mine", description="from afar")
    assert imported.vector.fingerprint == model.fingerprint
    assert (imported.account.model, imported.vector.description) == (model.id, "from afar")
    prompt = "quiz 3 : d a h c c f ="
    arms = {"mine": steer.add("mine", strength=1), "own": steer.add("a1-rloo", strength=1)}
    result = served.client.compare(prompt, arms=arms, max_tokens=6)
    assert result["mine"].receipts[0].content_hash == result["own"].receipts[0].content_hash
    with pytest.raises(steer.FailedPrecondition) as caught:
        vectors.import_({"v.gguf": fixture("repeng")["vector.gguf"]}, "other")
    assert caught.value.violations[0].field == "card.d_model"
    with pytest.raises(steer.FailedPrecondition) as caught:
        vectors.import_(tmp_path / "v.gguf", "deep", index_offset=4)
    assert [v.field for v in caught.value.violations] == ["card.sites"]
    other = vectors.import_(tmp_path / "v.gguf", "other", model="org/other").vector
    assert (other.model, other.fingerprint) == ("org/other", "")
    with pytest.raises(steer.FailedPrecondition, match="was made for org/other"):
        served.client.compare(prompt, steer.add("other"), max_tokens=1)


def test_files_of_ours_keep_the_model_they_name(serve: Serve, tmp_path):
    served = serve()
    vectors, model = served.client.vectors, served.client.model()
    card = {"model": {"id": "other", "revision": "r", "fingerprint": "sha256:1"}}
    vectors.upload("theirs", {1: np.ones(8)}, card=card)
    vectors.download("theirs", tmp_path / "folder")
    vectors.export("theirs", "safetensors", tmp_path / "one.safetensors")
    for path in (tmp_path / "folder", tmp_path / "one.safetensors"):
        again = vectors.import_(path, "again").vector
        assert (again.model, again.fingerprint) == ("other", "sha256:1")
    card = {"model": {"id": "other", "fingerprint": ""}}
    vectors.upload("nobody", {1: np.ones(model.d_model)}, card=card)
    vectors.download("nobody", tmp_path / "nobody")
    bound = vectors.import_(tmp_path / "nobody", "bound").vector
    assert (bound.model, bound.fingerprint) == (model.id, model.fingerprint)


class Attack:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self._path,)


def executing(path: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"1": Attack(path)}))
        archive.writestr("archive/version", "3")
    return buffer.getvalue()


GGUF = fixture("repeng")["vector.gguf"]
BAD: dict[str, tuple[dict[str, bytes], dict[str, Any], str]] = {
    "nothing": ({}, {}, "files"),
    "no known format": ({"x.txt": b"hello"}, {}, "UNKNOWN_FORMAT"),
    "truncated": ({"v.gguf": GGUF[:-64]}, {}, "TRUNCATED"),
    "a lying header": ({"v.gguf": GGUF[:8] + b"\xff" * 8 + GGUF[16:]}, {}, "files"),
    "a path out of the set": ({"../v.gguf": GGUF}, {}, "BAD_PATH"),
    "an absolute path": ({"/tmp/v.gguf": GGUF}, {}, "BAD_PATH"),
    "an option that has no use": ({"v.gguf": GGUF}, {"k": 3}, "options.k"),
    "a negative layer": ({"v.gguf": GGUF}, {"index_offset": -9}, "options.index_offset"),
    "several things": (VALID["steerkit"][0](), {}, "options.choice"),
    "no such format": ({"v.gguf": GGUF}, {"format": "onnx"}, "options.format"),
    "a bad name": ({"v.gguf": GGUF}, {"name": "../x"}, "name"),
    "no name": ({"v.gguf": GGUF}, {"name": ""}, "name"),
    "a strength that is no number": (
        {"v.gguf": GGUF},
        {"strength": float("nan")},
        "options.strength",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_refused_and_nothing_is_written(kept, what):
    files, options, says = BAD[what]
    given = {"name": "x", "served": False} | options
    with pytest.raises(steer.SteerError) as caught:
        kept.client.vectors.import_(files, given.pop("name"), **given)
    assert isinstance(caught.value, steer.InvalidRequest), caught.value
    said = [(v.field, v.reason) for v in caught.value.violations]
    assert said and any(says in (field.partition("[")[0], reason) for field, reason in said), said
    assert kept.files == set() and kept.store.verify().leftovers == ()


def test_nothing_is_executed(kept, tmp_path):
    mark = tmp_path / "mark"
    with pytest.raises(steer.InvalidRequest):
        kept.client.vectors.import_({"v.pt": executing(str(mark))}, "x", served=False)
    assert not mark.exists()


Request = pb.ImportVectorRequest


def begin(**given: Any) -> pb.ImportVectorRequest:
    return Request(begin=pb.ImportBegin(**{"name": "x"} | given))


def file(path: str = "v.gguf", size: int = len(GGUF)) -> pb.ImportVectorRequest:
    return Request(file=pb.FileHeader(path=path, size=size))


def piece(data: bytes = GGUF, offset: int = 0) -> pb.ImportVectorRequest:
    return Request(piece=pb.Piece(offset=offset, data=data))


WRONG: list[tuple[list[pb.ImportVectorRequest], str, str]] = [
    ([], "message", "REQUIRED"),
    ([file()], "message", "REQUIRED"),
    ([begin(), begin()], "message", "REQUIRED"),
    ([begin(), piece()], "message", "REQUIRED"),
    ([begin(), file(), piece(offset=1)], "piece.offset", "WRONG_OFFSET"),
    ([begin(), file(), piece(GGUF + b"x")], "piece.data", "TOO_LONG"),
    ([begin(), file(), piece(GGUF[:9])], "piece", "INCOMPLETE"),
    ([begin(), file(), piece(GGUF[:9]), file("w")], "piece", "INCOMPLETE"),
    ([begin(), file(), piece(), file()], "file.path", "DUPLICATE"),
    ([begin(), file(size=2**40)], "file.size", "TOO_LARGE"),
    ([begin(name="a@1")], "name", "BAD_NAME"),
    ([begin(options=pb.ImportOptions(point=77))], "options.point", "UNKNOWN_ENUM"),
]


@pytest.mark.parametrize(("messages", "field", "reason"), WRONG)
def test_messages_that_may_not_come(kept, messages, field, reason):
    before = set(os.listdir(tempfile.gettempdir()))
    error = refusal(kept.stub.ImportVector, iter(messages))
    assert [(v.field, v.reason) for v in error.violations] == [(field, reason)]
    assert kept.files == set()
    left = set(os.listdir(tempfile.gettempdir())) - before
    assert not [name for name in left if name.startswith("steer-import-")]


def test_the_limit_is_of_all_files_together(tmp_path_factory):
    with keeping(tmp_path_factory.mktemp("k"), most=2 * len(GGUF) - 1) as kept:
        error = refusal(kept.stub.ImportVector, iter([begin(), file(), piece(), file("w")]))
        assert (error.reason, f"{len(GGUF) - 1} bytes are left" in error.message) == (
            "TOO_LARGE",
            True,
        )


# ---- out again -----------------------------------------------------------------------------------


DICTIONARIES = [
    *(items.dictionary(one, name="d", subtract=True) for one in Architecture),
    items.dictionary(name="d", site_out=Site(2, Point.MLP_OUT), skip=True),
]


@pytest.mark.parametrize(
    ("item", "format"),
    [
        (VECTOR, "gguf"),
        *((item, "safetensors") for item in (VECTOR, items.probe("p"), items.low_rank("r"))),
        *((item, "saelens") for item in DICTIONARIES),
        (DICTIONARIES[0], "safetensors"),
    ],
)
def test_what_is_exported_is_imported_as_it_was(kept, tmp_path, item, format):
    kept.store.add(replace(item, name="x"))
    out = tmp_path / f"out.{format}"
    exported = kept.client.vectors.export("x", format, out)
    assert all(path.is_file() for path in exported.paths)
    assert out.is_dir() == (format == "saelens")
    kept.client.vectors.import_(out, "y", served=False)
    assert same(kept.store.get("x"), kept.store.get("y"))
    assert list(tmp_path.iterdir()) == [out]


def test_what_can_not_be_exported_leaves_nothing(kept, tmp_path):
    kept.store.add(items.probe("p"))
    for name, format, field, reason in (
        ("p", "gguf", "format", "NOT_SUPPORTED"),
        ("p", "onnx", "format", "NOT_FOUND"),
        ("x", "gguf", "name", "VECTOR_NOT_FOUND"),
    ):
        with pytest.raises(steer.SteerError) as caught:
            kept.client.vectors.export(name, format, tmp_path / "out")
        assert [(v.field, v.reason) for v in caught.value.violations] == [(field, reason)]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").write_text("mine")
    with pytest.raises(steer.InvalidRequest, match="is there already"):
        kept.client.vectors.export("p", "safetensors", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_notes_say_what_the_files_do_not_hold(kept, tmp_path):
    card = replace(VECTOR.card, strength=replace(VECTOR.card.strength, value=3.0))
    kept.store.add(replace(VECTOR, name="x", card=card))
    (note,) = kept.client.vectors.export("x", "gguf", tmp_path / "x.gguf").notes
    assert "strength 3" in note


def test_a_large_file_comes_in_small_pieces(kept, tmp_path):
    kept.store.add(items.dictionary(name="d", d_sae=60_000))
    messages = list(kept.stub.ExportVector(pb.ExportVectorRequest(name="d", format="saelens")))
    sizes = [len(message.piece.data) for message in messages]
    assert max(sizes) <= 1 << 20 and sum(sizes) > 3 << 20


def test_a_server_can_not_write_elsewhere(tmp_path):
    from steer.client.transfers import Exporting

    for path in ("../x", "/x", "a/../../x", "", "a\\b", "."):
        exporting = Exporting(tmp_path / "out")
        header = pb.ExportVectorResponse(file=pb.FileHeader(path=path, size=1))
        with pytest.raises(steer.InvalidRequest, match="no plain path"):
            exporting.take(header)
        exporting.close()
    assert list(tmp_path.iterdir()) == []


def test_zero_vectors_are_refused(kept: Kept):
    tensors = build.normal(4) * 0
    from safetensors.numpy import save

    data = save({"1": np.asarray(tensors, np.float32)})
    with pytest.raises(steer.InvalidRequest) as caught:
        kept.client.vectors.import_({"v.safetensors": data}, "x", served=False)
    assert "ZERO_VECTOR" in [violation.reason for violation in caught.value.violations]
    assert kept.files == set()


def test_what_a_message_can_not_hold_is_said_in_another_way(kept):
    """Names of files need not be characters: on their way as bytes they are, in Python not."""
    header = b'{"a\\ud83dx":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    bad = len(header).to_bytes(8, "little") + header + bytes(4)
    with pytest.raises(steer.InvalidRequest, match="not JSON"):
        kept.client.vectors.import_({"v.safetensors": bad}, dry_run=True, served=False)
    card = replace(items.vector("v").card, sha256="")
    begin = pb.UploadBegin(name="v", card_json=card.to_json(), size=len(bad))
    piece = pb.Piece(offset=0, data=bad)
    messages = iter([pb.UploadVectorRequest(begin=begin), pb.UploadVectorRequest(piece=piece)])
    error = refusal(lambda _, timeout: kept.stub.UploadVector(messages, timeout=timeout), None)
    assert isinstance(error, steer.InvalidRequest) and "unknown a?x" in error.message
