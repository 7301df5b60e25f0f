"""Uploads and downloads over a real channel: whole, broken off, gone on with, and wrong."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

import steer
import steer.v1 as pb
from steer.client import vector_calls
from steer.client.async_client import AsyncClient
from steer.client.parcels import Parcel, of_folder
from steer.client.transfers import Downloading
from steer.store import Store, tensors
from steer.types import Site
from tests.helpers import until
from tests.server.messages import refusal
from tests.server.storekeeping import Kept, keeping, listening
from tests.store import items

Request = pb.UploadVectorRequest


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short path, for sockets."""
    return tmp_path_factory.mktemp("k")


@pytest.fixture
def kept(folder: Path) -> Iterator[Kept]:
    with keeping(folder) as running:
        yield running


def encoded(item: Any) -> bytes:
    return b"".join(bytes(piece) for piece in tensors.encode(item.arrays())[1])


VECTOR = items.vector("v")
DATA = encoded(VECTOR)
SHA = hashlib.sha256(DATA).hexdigest()
HALF = len(DATA) // 2


def begin(**fields: Any) -> pb.UploadVectorRequest:
    given = {"name": "v", "card_json": VECTOR.card.to_json(), "size": len(DATA), "sha256": SHA}
    return Request(begin=pb.UploadBegin(**given | fields))


def piece(start: int, stop: int, offset: int | None = None) -> pb.UploadVectorRequest:
    data = DATA[start:stop]
    return Request(piece=pb.Piece(offset=start if offset is None else offset, data=data))


def send(kept: Kept, *messages: pb.UploadVectorRequest) -> pb.UploadVectorResponse:
    answer: pb.UploadVectorResponse = kept.stub.UploadVector(iter(messages), timeout=20)
    return answer


def test_in_one_stream(kept):
    answer = send(kept, begin(), piece(0, HALF), piece(HALF, len(DATA)))
    assert (answer.upload_id, answer.offset) == ("", len(DATA))
    assert (answer.vector.name, answer.vector.version) == ("v", 1)
    stored = kept.store.get("v")
    assert stored.content_hash == answer.vector.content_hash
    assert np.array_equal(stored.tensors[Site(0)], VECTOR.tensors[Site(0)])
    assert kept.store.resolve("v").card.norms and kept.store.verify().leftovers == ()


def test_an_answer_says_how_far_it_is(kept):
    first = send(kept, begin(sha256=""))
    assert first.upload_id and first.offset == 0 and not first.HasField("vector")
    resume = Request(resume=first.upload_id)
    assert send(kept, resume, piece(0, HALF)).offset == HALF
    assert send(kept, resume).offset == HALF
    assert kept.store.names() == [] and kept.files == set()
    assert send(kept, resume, piece(HALF, len(DATA))).vector.version == 1
    error = refusal(kept.stub.UploadVector, iter([resume]))
    assert (error.reason, [v.field for v in error.violations]) == ("UPLOAD_NOT_FOUND", ["resume"])


def test_what_arrived_before_a_call_broke_off_stays(kept):
    upload_id = send(kept, begin()).upload_id
    sent, over = threading.Event(), threading.Event()

    def messages() -> Iterator[pb.UploadVectorRequest]:
        yield Request(resume=upload_id)
        yield piece(0, HALF)
        sent.set()
        over.wait(10)

    call = kept.stub.UploadVector.future(messages())
    sent.wait(10)
    call.cancel()
    over.set()
    until(lambda: _offset(kept, upload_id) is not None)
    offset = _offset(kept, upload_id)
    assert offset in (0, HALF)  # The server may not have come to it.
    done = send(kept, Request(resume=upload_id), piece(offset, len(DATA)))
    assert done.vector.content_hash == kept.store.get("v").content_hash


def _offset(kept: Kept, upload_id: str) -> int | None:
    try:
        return send(kept, Request(resume=upload_id)).offset
    except grpc.RpcError:
        return None  # The server has not noticed yet, and has it open.


WRONG: list[tuple[list[pb.UploadVectorRequest], str, str, str]] = [
    ([], "message", "REQUIRED", "the first message has to be begin or resume"),
    ([piece(0, 9)], "message", "REQUIRED", "the first message"),
    ([begin(), begin()], "message", "REQUIRED", "only pieces"),
    ([begin(), Request()], "message", "REQUIRED", "only pieces"),
    ([begin(), piece(0, HALF, 1)], "piece.offset", "WRONG_OFFSET", "the next byte is 0"),
    ([begin(), piece(0, 9), piece(0, 9)], "piece.offset", "WRONG_OFFSET", "the next byte is 9"),
    ([begin(size=9), piece(0, 10)], "piece.offset", "TOO_LONG", "9 were announced"),
    ([begin(size=0)], "size", "OUT_OF_RANGE", "1 to"),
    ([begin(size=2**40)], "size", "OUT_OF_RANGE", "this server takes 1 to"),
    ([begin(name="../v")], "name", "BAD_NAME", "not a vector name"),
    ([begin(name="v@1")], "name", "BAD_NAME", "not a vector name"),
    ([begin(sha256="abc")], "sha256", "MALFORMED", "64 hex digits"),
    ([begin(card_json="{")], "card_json", "BAD_CARD", "not JSON"),
    ([begin(card_json="{}")], "card_json", "BAD_CARD", "format"),
    (
        [begin(card_json=VECTOR.card.to_json().replace('"created": "', '"created": "\\ud800'))],
        "card_json",
        "BAD_CARD",
        "surrogates not allowed",
    ),
    (
        [begin(sha256="0" * 64), piece(0, len(DATA))],
        "sha256",
        "CHECKSUM",
        f"{SHA} arrived, {'0' * 64} was announced",
    ),
    ([Request(resume="x")], "resume", "UPLOAD_NOT_FOUND", "no upload 'x'"),
    ([Request(resume="../x")], "resume", "UPLOAD_NOT_FOUND", "no upload"),
]


@pytest.mark.parametrize(("messages", "field", "reason", "says"), WRONG)
def test_what_is_wrong_is_named_and_nothing_is_stored(kept, messages, field, reason, says):
    error = refusal(kept.stub.UploadVector, iter(messages))
    assert [(v.field, v.reason) for v in error.violations] == [(field, reason)]
    assert says in error.message
    assert kept.files == set() and kept.store.names() == []


def test_everything_wrong_at_once(kept):
    bad = begin(name="..", size=0, sha256="x", card_json="[]")
    error = refusal(kept.stub.UploadVector, iter([bad]))
    assert {v.field for v in error.violations} == {"name", "size", "sha256", "card_json"}


@pytest.mark.parametrize("cut", [4, len(DATA) - 8])
def test_a_file_that_is_not_what_its_card_says_is_refused(kept, cut):
    data = DATA[:cut]
    first = begin(size=cut, sha256=hashlib.sha256(data).hexdigest())
    error = refusal(kept.stub.UploadVector, iter([first, piece(0, cut)]))
    assert isinstance(error, steer.InvalidRequest)
    assert kept.files == set() and kept.store.verify().leftovers == ()


def test_tensors_that_do_not_fit_are_all_named(kept):
    arrays = {"resid_post.0": np.full(8, np.nan, "f4"), "mlp_out.2": np.ones(3, "f4")}
    data = b"".join(bytes(p) for p in tensors.encode(arrays)[1])
    first = begin(size=len(data), sha256="")
    error = refusal(kept.stub.UploadVector, iter([first, Request(piece=pb.Piece(data=data))]))
    assert {v.field: v.reason for v in error.violations} == {
        "tensors[resid_post.0]": "NOT_FINITE",
        "tensors[mlp_out.2]": "WRONG_SHAPE",
    }


def test_an_upload_that_was_wrong_in_a_piece_goes_on(kept):
    upload_id = send(kept, begin()).upload_id
    resume = Request(resume=upload_id)
    assert send(kept, resume, piece(0, 10)).offset == 10
    refusal(kept.stub.UploadVector, iter([resume, piece(0, 10)]))
    assert send(kept, resume).offset == 10
    assert send(kept, resume, piece(10, len(DATA))).vector.version == 1


def test_a_limit_on_sizes(folder):
    with keeping(folder, most=len(DATA) - 1) as small:
        error = refusal(small.stub.UploadVector, iter([begin()]))
        assert (error.reason, error.violations[0].field) == ("OUT_OF_RANGE", "size")
        with pytest.raises(steer.InvalidRequest, match=f"takes 1 to {len(DATA) - 1} bytes"):
            card = {"model": {"id": "m", "fingerprint": "f"}}
            small.client.vectors.upload("v", {0: np.ones(8), 1: np.ones(8)}, card=card)


def test_concurrent_uploads_of_one_name_are_all_kept(kept):
    def one(seed: int) -> pb.UploadVectorResponse:
        item = items.vector("v", seed)
        data = encoded(item)
        parts = (
            Request(piece=pb.Piece(offset=i, data=data[i : i + 50]))
            for i in range(0, len(data), 50)
        )
        return send(kept, begin(sha256=hashlib.sha256(data).hexdigest(), size=len(data)), *parts)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(one, range(12)))
    assert sorted(answer.vector.version for answer in answers) == list(range(1, 13))
    for answer in answers:
        address = f"v@{answer.vector.version}"
        assert kept.store.get(address).content_hash == answer.vector.content_hash
    assert kept.store.verify().damage == ()


# ---- the SDK -------------------------------------------------------------------------------------


@pytest.fixture
def packed(folder: Path) -> Path:
    """A folder of a dictionary of a few MB: several pieces."""
    store = Store(folder / "packed")
    store.add(items.dictionary(name="d", d_sae=60_000))
    (found,) = (folder / "packed/d").glob("*.safetensors")
    found.rename(found.with_name("vector.safetensors"))
    return folder / "packed/d"


def test_there_and_back_to_the_byte(kept, packed, folder):
    info = kept.client.vectors.upload("team/d", packed)
    assert (info.name, info.version, info.kind) == ("team/d", 1, "sae")
    back = kept.client.vectors.download("team/d", folder / "out")
    assert back == info
    for name in ("card.json", "vector.safetensors"):
        assert (folder / "out" / name).read_bytes() == (packed / name).read_bytes()
    assert [path.name for path in folder.iterdir() if "part" in path.name] == []
    with pytest.raises(steer.InvalidRequest, match="is there already"):
        kept.client.vectors.download("team/d", folder / "out")
    again = kept.client.vectors.upload("team/d", folder / "out")
    assert (again.version, again.digest) == (1, info.digest)
    other = kept.client.vectors.upload("team/d", folder / "out", card={"licence": "MIT"})
    assert (other.version, other.licence) == (2, "MIT")
    assert [one.version for one in kept.client.vectors.versions("team/d")] == [1, 2]


async def test_the_same_for_asyncio(kept, packed, folder):
    async with AsyncClient(kept.address) as client:
        info = await client.vectors.upload("d", packed)
        assert await client.vectors.download("d", folder / "out") == info
        assert (await client.vectors.upload("d", folder / "out")).version == 1
    wanted = (packed / "vector.safetensors").read_bytes()
    assert (folder / "out/vector.safetensors").read_bytes() == wanted


def test_what_is_known_is_not_sent_again(kept, packed):
    first = kept.client.vectors.upload("d", packed)
    parcel = of_folder(packed, {})
    answer = kept.client._send(vector_calls.begin_upload("d", parcel), None)
    assert answer.vector == first and answer.upload_id == ""
    # The answer to the last piece was lost: the upload is gone, the vector is there.
    assert kept.client.vectors.upload("d", packed, resume="0" * 32) == first


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "card.json").unlink(), "card.json: No such file"),
        (lambda folder: (folder / "card.json").write_text("[]"), "not a JSON object"),
        (lambda folder: (folder / "card.json").write_text("{"), "card.json"),
        (lambda folder: (folder / "vector.safetensors").unlink(), "no such file"),
    ],
)
def test_folders_that_are_none(kept, packed, change, says):
    change(packed)
    with pytest.raises(steer.SteerError, match=says):
        kept.client.vectors.upload("d", packed)
    assert kept.files == set()


class Stuck:
    """A parcel that does not get beyond its first two pieces."""

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self.reached, self.release = threading.Event(), threading.Event()

    def pieces(self, offset: int) -> Iterator[Any]:
        for count, one in enumerate(self._parcel.pieces(offset)):
            if count == 2:
                self.reached.set()
                self.release.wait()
            yield one


def begun(client: steer.Client, packed: Path) -> str:
    """The id of an upload of which nothing has arrived."""
    call = vector_calls.begin_upload("d", of_folder(packed, {}))
    return client._send(call, None).upload_id


def test_a_server_that_comes_back_is_waited_for(folder, packed):
    store, address = Store(folder / "store"), f"unix:{folder / 'keeper'}"
    stuck = Stuck(of_folder(packed, {}))
    with steer.Client(address, timeout=30) as client, ThreadPoolExecutor(1) as pool:
        with listening(store, address):
            upload_id = begun(client, packed)
            going = pool.submit(client._send, vector_calls.go_on(upload_id, stuck, 0), None)
            stuck.reached.wait(10)
        stuck.release.set()
        with pytest.raises(steer.SteerError):
            going.result(20)
        going = pool.submit(client.vectors.upload, "d", packed, resume=upload_id)
        time.sleep(0.2)
        assert not going.done()
        with listening(Store(folder / "store"), address):
            info = going.result(20)
    assert store.info("d").digest == info.digest
    assert store.verify().damage == store.verify().leftovers == ()


def test_a_server_that_stays_away_leaves_the_upload_to_be_gone_on_with(folder, packed, monkeypatch):
    monkeypatch.setattr("steer.client.transfers._PAUSES", (0.01, 0.01))
    store, address = Store(folder / "store"), f"unix:{folder / 'keeper'}"
    with steer.Client(address, timeout=30) as client:
        with listening(store, address):
            upload_id = begun(client, packed)
        with pytest.raises(steer.Interrupted, match=f"resume='{upload_id}'") as caught:
            client.vectors.upload("d", packed, resume=upload_id)
        assert caught.value.upload_id == upload_id
        with pytest.raises(steer.Unavailable) as never_begun:
            client.vectors.upload("d", packed)
        assert not isinstance(never_begun.value, steer.Interrupted)
    with listening(store, address), steer.Client(address, timeout=30) as client:
        assert client.vectors.upload("d", packed, resume=upload_id).version == 1


HANGS = """
import sys, time, steer
from steer.client import vector_calls
from steer.client.parcels import of_folder

class Stuck:
    def pieces(self, offset):
        for count, one in enumerate(of_folder(sys.argv[2], {}).pieces(offset)):
            time.sleep(60 if count == 2 else 0)
            yield one

with steer.Client(sys.argv[1]) as client:
    client._send(vector_calls.go_on(sys.argv[3], Stuck(), 0), None)
"""


def test_a_killed_client_leaves_what_it_sent(kept, packed):
    upload_id = begun(kept.client, packed)
    command = [sys.executable, "-c", HANGS, kept.address, packed, upload_id]
    process = subprocess.Popen(command)
    part = Path(kept.store.root, ".uploads", f"{upload_id}.part")
    until(lambda: part.stat().st_size >= 1 << 20)
    process.kill()
    process.wait()
    until(lambda: (_offset(kept, upload_id) or 0) >= 1 << 20)
    info = kept.client.vectors.upload("d", packed, resume=upload_id)
    assert kept.store.info("d").digest == info.digest
    assert kept.store.verify().leftovers == ()


# ---- downloads -----------------------------------------------------------------------------------


def test_a_download_goes_on_where_it_was_left(kept, packed, folder):
    info = kept.client.vectors.upload("d", packed)
    data = (packed / "vector.safetensors").read_bytes()
    half = len(data) // 2
    stream = kept.stub.DownloadVector(pb.DownloadVectorRequest(name=info.address, offset=half))
    header, *rest = stream
    assert (header.header.size, header.header.sha256) == (
        len(data),
        hashlib.sha256(data).hexdigest(),
    )
    assert rest[0].piece.offset == half
    assert b"".join(message.piece.data for message in rest) == data[half:]
    assert all(len(message.piece.data) <= 1 << 20 for message in rest)
    left_off = Downloading(kept.client.vectors.get("d"), folder / "out")
    left_off._file.write(data[:half])
    left_off.close()
    # What arrived before is taken as it is, and found out when it is wrong.
    (part,) = folder.glob(".out.*.part")
    assert kept.client.vectors.download("d", folder / "out") == info
    assert (folder / "out/vector.safetensors").read_bytes() == data and not part.exists()
    wrong = Downloading(kept.client.vectors.get("d"), folder / "again")
    wrong._file.write(b"?" * half)
    wrong.close()
    with pytest.raises(steer.ServerError, match="not what was stored"):
        kept.client.vectors.download("d", folder / "again")
    assert kept.client.vectors.download("d", folder / "again") == info


def test_a_download_of_the_end_and_beyond(kept):
    send(kept, begin(), piece(0, len(DATA)))
    ask = pb.DownloadVectorRequest
    (only,) = kept.stub.DownloadVector(ask(name="v", offset=len(DATA)))
    assert json.loads(only.header.card_json)["sha256"] == SHA
    error = refusal(kept.stub.DownloadVector, ask(name="v", offset=len(DATA) + 1))
    assert [(v.field, v.reason) for v in error.violations] == [("offset", "OUT_OF_RANGE")]
    error = refusal(kept.stub.DownloadVector, ask(name="w"))
    assert [(v.field, v.reason) for v in error.violations] == [("name", "VECTOR_NOT_FOUND")]


def test_a_version_that_is_deleted_meanwhile_is_downloaded_to_its_end(kept, packed):
    info = kept.client.vectors.upload("d", packed)
    stream = kept.stub.DownloadVector(pb.DownloadVectorRequest(name="d"))
    next(stream), next(stream)
    kept.client.vectors.delete("d")
    assert kept.client.vectors.verify().versions == 0
    total = sum(len(message.piece.data) for message in stream) + (1 << 20)
    assert total == (packed / "vector.safetensors").stat().st_size
    with pytest.raises(steer.NotFound):
        kept.client.vectors.get(info.address)


def test_a_server_that_runs_for_long_clears_away_what_nobody_goes_on_with(
    serve, folder, monkeypatch
):
    monkeypatch.setattr("steer.server.app.TIDY_EVERY", 0.05)
    served = serve(store=str(folder / "store"))
    with grpc.insecure_channel(served.address) as channel:
        stub = pb.VectorServiceStub(channel)
        left = stub.UploadVector(iter([begin(), piece(0, HALF)]), timeout=20).upload_id
    staging = folder / "store/.uploads"
    assert {path.stem for path in staging.iterdir()} == {left}
    os.utime(staging / f"{left}.part", (1, 1))
    until(lambda: not any(staging.iterdir()))
