"""A place that takes no more, or can not be read: said with its folder, and nothing is lost.

The limit on the size of files that the system has for a process stands for a full disk.
"""

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import steer
from steer.client import vector_calls
from steer.client.parcels import of_folder
from steer.store import Store
from tests.formats.build import fixture
from tests.server.storekeeping import Kept, keeping
from tests.store import items

LIMIT = 256 << 10


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("k")


@pytest.fixture
def kept(folder: Path) -> Iterator[Kept]:
    with keeping(folder) as running:
        running.store.add(items.vector("old"))
        yield running


@pytest.fixture
def packed(folder: Path) -> Path:
    """A folder of a dictionary of more than the limit."""
    Store(folder / "packed").add(items.dictionary(name="d", d_sae=9_000))
    return folder / "packed/d"


@contextmanager
def full() -> Iterator[None]:
    """No file gets larger than the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_upload_says_where_there_is_no_room_and_goes_on_later(kept, packed):
    parcel = of_folder(packed, {})
    assert parcel.size > 2 * LIMIT
    upload_id = kept.client._send(vector_calls.begin_upload("d", parcel), None).upload_id
    with full():
        with pytest.raises(steer.FailedPrecondition) as caught:
            kept.client.vectors.upload("d", packed, resume=upload_id)
        assert caught.value.message == f"'d' can not be stored in {kept.store.root}: File too large"
        assert [v.field for v in caught.value.violations] == ["store"]
        assert [info.name for info in kept.client.vectors.list()] == ["old"]
        assert kept.client.vectors.get("old").version == 1
        small = kept.client.vectors.combine("small", "2*old")
    report = kept.client.vectors.verify()
    assert report.damage == () and len(report.leftovers) == 2  # The upload on its way.
    info = kept.client.vectors.upload("d", packed, resume=upload_id)
    assert kept.store.get("d").content_hash == info.content_hash
    assert kept.client.vectors.get("small").digest == small.digest
    assert kept.client.vectors.verify().leftovers == ()


def test_an_import_says_it_and_leaves_nothing(kept, packed):
    data = next(packed.glob("*.safetensors")).read_bytes()
    files = {"card.json": (packed / "card.json").read_bytes(), "vector.safetensors": data}
    with full(), pytest.raises(steer.FailedPrecondition) as caught:
        kept.client.vectors.import_(files, "d", served=False)
    assert f"in {tempfile.gettempdir()}: File too large" in caught.value.message
    assert kept.store.names() == ["old"] and kept.store.verify().leftovers == ()
    assert not list(Path(tempfile.gettempdir()).glob("steer-import-*"))
    with full():
        assert kept.client.vectors.import_(fixture("repeng"), "v", served=False).vector


def test_a_place_that_can_not_be_read_is_not_an_empty_one(kept):
    root = Path(kept.store.root)
    aside = root.rename(root.with_name("aside"))
    root.symlink_to(root.name)  # A link to itself: nobody can look behind it, root included.
    calls = kept.client.vectors
    for call, reason in ((calls.get, "READABLE"), (calls.delete, "WRITABLE")):
        with pytest.raises(steer.FailedPrecondition) as caught:
            call("old")
        assert caught.value.reason == f"STORE_NOT_{reason}"
        assert str(root) in caught.value.message
    root.unlink()
    aside.rename(root)
    assert [info.name for info in calls.list()] == ["old"]
