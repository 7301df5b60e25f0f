"""Our own files: a card inside, or beside them as a store has it."""

import json
from dataclasses import replace

import pytest

from steer.errors import InvalidRequest
from steer.formats import Options, read
from steer.store import Store
from tests.formats.build import Files, json_bytes, source
from tests.store import items


def stored(tmp_path, name: str = "v", versions: int = 1, **card: str) -> Files:
    """The folder of a name in a store."""
    item = items.vector(name)
    for seed in range(versions):
        added = replace(items.vector(name, seed), card=replace(item.card, **card))
        Store(tmp_path).add(added)
    return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}


def test_a_folder_of_a_store(tmp_path):
    files = stored(tmp_path, versions=2, description="calm")
    item = read(source(files)).item
    assert set(files) >= {"card.json", "@2.json"} and len(files) == 4
    assert item.content_hash == Store(tmp_path).get("v@1").content_hash
    assert (item.card.description, item.card.fingerprint) == ("calm", items.CARD.fingerprint)
    # In a folder of its own, and by the plain name of the first version.
    (name,) = (n for n in files if json.loads(files["card.json"])["sha256"] in n)
    deep = {"a/card.json": files["card.json"], "a/vector.safetensors": files[name]}
    assert read(source(deep)).item.content_hash == item.content_hash


def test_a_file_that_is_not_its_cards_is_refused(tmp_path):
    files = stored(tmp_path)
    card = json.loads(files.pop("card.json"))
    ((_, data),) = files.items()
    said = card | {"sha256": "0" * 64}
    with pytest.raises(InvalidRequest, match="its card says 0000") as caught:
        read(source({"card.json": json_bytes(said), "vector.safetensors": data}))
    assert caught.value.violations[0].reason == "CHECKSUM"
    said = card | {"sha256": ""}
    assert read(source({"card.json": json_bytes(said), "vector.safetensors": data})).item
    for broken in (card | {"kind": "song"}, card | {"sites": []}, card | {"d_model": 9}):
        with pytest.raises(InvalidRequest):
            read(source({"card.json": json_bytes(broken), "vector.safetensors": data}))
    # A card of something else says nothing.
    other = {"card.json": json_bytes({"format": "other"}), "vector.safetensors": data}
    assert read(source(other)).account.writer != "steer"


def test_a_card_that_knows_the_weights_is_not_told_the_model(tmp_path):
    files = stored(tmp_path)
    assert read(source(files), Options(model="m")).item.card.model == "m"
    with pytest.raises(InvalidRequest) as caught:
        read(source(files), Options(model="other"))
    assert [(v.field, v.reason) for v in caught.value.violations] == [("options.model", "NOT_USED")]
    blank = stored(tmp_path, "w", fingerprint="")
    assert read(source(blank), Options(model="other")).item.card.model == "other"
