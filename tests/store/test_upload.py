"""Uploads in pieces: offsets, interruptions, checksums, and what is refused."""

import hashlib
import json
import os
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store import Store, tensors
from tests.store import items


def file_of(item) -> bytes:
    size, pieces = tensors.encode({key: value for key, value in item.arrays().items()})
    data = b"".join(map(bytes, pieces))
    assert len(data) == size
    return data


ITEM = items.dictionary(skip=False, d_sae=300)
DATA = file_of(ITEM)
SIZE = len(DATA)
SHA = hashlib.sha256(DATA).hexdigest()


def begin(store, size=SIZE):
    return store.upload("big", ITEM.card, size)


def test_pieces_make_a_version(store):
    with begin(store) as upload:
        for start in range(0, len(DATA), 1000):
            assert upload.offset == start
            assert upload.write(DATA[start : start + 1000], start) == min(start + 1000, len(DATA))
        version = upload.commit(f"sha256:{SHA.upper()}")
    assert (version.name, version.number) == ("big", 1)
    assert store.names() == ["big"] and store.resolve("big") == version
    got = Store(store.root).get("big")
    assert got.tensors["encoder"].tobytes() == ITEM.tensors["encoder"].tobytes()
    sent, file = store.open("big")
    with file:
        assert file.read() == DATA and sent.card.sha256 == SHA


def test_an_interrupted_upload_goes_on_where_it_was(store):
    upload = begin(store)
    upload.write(DATA[:700])
    upload.close()
    again = Store(store.root).resume(upload.id)
    assert (again.offset, again.name, again.size) == (700, "big", len(DATA))
    assert again.card == ITEM.card
    again.write(DATA[700:], 700)
    assert again.commit().number == 1
    for finished in (upload.id, "0" * 32, "../../etc/passwd", ""):
        with pytest.raises(NotFound, match="no upload") as caught:
            store.resume(finished)
        assert caught.value.reason == "UPLOAD_NOT_FOUND"


def test_a_piece_must_begin_where_the_last_ended(store):
    with begin(store) as upload:
        upload.write(DATA[:10])
        for offset in (0, 9, 11):
            with pytest.raises(InvalidRequest, match=f"begins at {offset}, the next byte is 10"):
                upload.write(DATA[10:], offset)
        with pytest.raises(InvalidRequest, match="were announced"):
            upload.write(DATA)
        assert upload.offset == 10
        with pytest.raises(InvalidRequest, match=f"10 of {len(DATA)} bytes") as caught:
            upload.commit()
        assert caught.value.reason == "INCOMPLETE"
        upload.write(DATA[10:])
        assert upload.commit(SHA).number == 1


def test_an_upload_has_one_writer(store):
    with begin(store) as upload:
        with pytest.raises(FailedPrecondition, match="open elsewhere") as caught:
            Store(store.root).resume(upload.id)
        assert caught.value.reason == "UPLOAD_IN_USE"
    store.resume(upload.id).discard()
    with pytest.raises(NotFound):
        store.resume(upload.id)
    assert store.verify().leftovers == ()


def test_a_wrong_checksum_stores_nothing(store):
    with begin(store) as upload:
        upload.write(DATA)
        with pytest.raises(InvalidRequest, match=f"{SHA} arrived, 0123 was announced") as caught:
            upload.commit("0123")
    assert caught.value.reason == "CHECKSUM"
    assert store.names() == [] and store.verify().leftovers == ()


def header(**tensors_: object) -> bytes:
    text = json.dumps(tensors_).encode()
    return len(text).to_bytes(8, "little") + text


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
LIES = [
    (b"x", "header"),
    (b"\xff" * 8 + b"{}", "header is said to have"),
    ((2**62).to_bytes(8, "little"), "header is said to have"),
    (header() + b"rest", "end at"),
    (len(b"[]").to_bytes(8, "little") + b"[]", "not a JSON object"),
    (len(b"{").to_bytes(8, "little") + b"{", "header is not JSON"),
    ((3).to_bytes(8, "little") + b"\xff{}", "utf-8"),
    ((60_000).to_bytes(8, "little") + b"[" * 60_000, "header"),
    (header(a=ONE), "end at"),
    (header(a=ONE | {"shape": [3]}) + bytes(8), "do not hold the shape"),
    (header(a=ONE | {"shape": [2**62, 2**62]}) + bytes(8), "do not hold the shape"),
    (header(a=ONE | {"shape": [2**64, 2**62]}) + bytes(8), "not a list of sizes"),
    (header(a=ONE | {"shape": [1] * 9}) + bytes(8), "not a list of sizes"),
    (header(a=ONE | {"shape": [-1, -2]}) + bytes(8), "not a list of sizes"),
    (header(a=ONE | {"shape": [True, 2]}) + bytes(8), "not a list of sizes"),
    (header(a=ONE | {"shape": [0], "data_offsets": [0, 0]}), "not a list of sizes"),
    (header(a=ONE | {"dtype": "BF16"}) + bytes(8), "is 'BF16', want 'F32'"),
    (header(a=ONE | {"data_offsets": [4, 12]}) + bytes(12), "begins at"),
    (header(a=ONE, b=ONE) + bytes(8), "begins at"),
    (header(a={"dtype": "F32"}), "is not dtype, shape and"),
    (header(a=None), "is not dtype, shape and"),
    (header(a=ONE | {"shape": 2}) + bytes(8), "not a list of sizes"),
    (header(a=ONE | {"data_offsets": [8]}) + bytes(8), "not two offsets"),
    (b'\x52\0\0\0\0\0\0\0{"a":' + json.dumps(ONE).encode() + b',"a":', "header"),
]


@pytest.mark.parametrize(("data", "says"), LIES)
def test_a_file_that_lies_is_refused(store, data, says):
    with begin(store, len(data)) as upload:
        upload.write(data)
        with pytest.raises(InvalidRequest, match=says) as caught:
            upload.commit()
    assert caught.value.reason == "BAD_TENSORS"
    assert store.names() == [] and store.verify().leftovers == ()


def test_a_tensor_that_is_there_twice_is_refused(store):
    one = json.dumps(ONE)
    text = f'{{"a":{one},"a":{one}}}'.encode()
    data = len(text).to_bytes(8, "little") + text + bytes(8)
    with begin(store, len(data)) as upload:
        upload.write(data)
        with pytest.raises(InvalidRequest, match="a: is there twice"):
            upload.commit()


@pytest.mark.parametrize(("size", "name"), [(0, "a"), (-1, "a"), (10, "../a")])
def test_what_can_not_be_an_upload_is_refused_at_once(store, size, name):
    with pytest.raises(InvalidRequest):
        store.upload(name, ITEM.card, size)
    assert not store.verify().leftovers


def test_what_the_sender_says_the_store_fills_in_is_not_believed(store):
    wrong = {"norms": {items.SITES[0]: 7.0}, "content_hash": "sha256:0", "sha256": "0"}
    with store.upload("big", replace(ITEM.card, **wrong), len(DATA)) as upload:
        upload.write(DATA)
        card = upload.commit().card
    assert card.sha256 == SHA and card.content_hash == f"sha256:{SHA}"
    assert card.norms == ITEM.norms()


def test_sweep_takes_old_uploads_and_leaves_those_that_are_open(store):
    old = begin(store)
    old.close()
    with begin(store) as current:
        current.write(DATA[:10])
        assert store.sweep() == ()
        swept = store.sweep(older_than=-1)
        assert any(old.id in one for one in swept)
        assert not any(one.endswith(f"{current.id}.part") for one in swept)
        current.write(DATA[10:])
        assert current.commit().number == 1
    with pytest.raises(NotFound):
        store.resume(old.id)


def test_an_upload_that_began_long_ago_is_not_old_while_pieces_arrive(store, tmp_path):
    upload = begin(store)
    upload.close()
    about = next(tmp_path.rglob(f"{upload.id}.json"))
    os.utime(about, (1, 1))
    assert store.sweep() == ()
    with store.resume(upload.id) as again:
        again.write(DATA)
        os.utime(about, (1, 1))
        assert store.sweep() == ()
    os.utime(about.with_suffix(".part"), (1, 1))
    assert len(store.sweep()) == 2 and not any(about.parent.iterdir())


def test_a_large_dictionary_goes_through_in_bounded_memory(tmp_path):
    d_sae, d = 1 << 14, items.D
    draw = np.random.default_rng(0)
    big = {
        "encoder": draw.standard_normal((d_sae * 16, d), dtype=np.float32),
        "decoder": draw.standard_normal((d_sae * 16, d), dtype=np.float32),
        "encoder_bias": np.zeros(d_sae * 16, np.float32),
        "decoder_bias": np.zeros(d, np.float32),
    }
    made = items.dictionary(d_sae=1)
    card = replace(made.card, dictionary=replace(made.spec, d_sae=d_sae * 16))
    store = Store(tmp_path)
    size, pieces = tensors.encode(big)
    assert size > 16 << 20
    tracemalloc.start()
    try:
        with store.upload("big", card, size) as upload:
            for piece in pieces:
                upload.write(piece)
            upload.commit()
        got = Store(tmp_path).get("big")
        rows = got.features((1, d_sae))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(rows.decoder, big["decoder"][[1, d_sae]])
    assert peak < 6 << 20, f"{peak / 2**20:.1f} MiB for a file of {size / 2**20:.1f}"
