"""A store on each kind of place: a local folder, and a file system of fsspec."""

import secrets
from pathlib import Path

import pytest

from steer.store import Store, index

PLACES = ("local", "memory")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine no look at the folders is left behind."""
    monkeypatch.setattr(index, "_PATIENCE", 60.0)


@pytest.fixture(params=PLACES)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if request.param == "local":
        return Store(tmp_path / "store")
    return Store(f"memory://{secrets.token_hex(8)}")
