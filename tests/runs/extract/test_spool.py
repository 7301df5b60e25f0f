"""What is read of an extraction, on disk."""

from pathlib import Path

from steer.runs.extract.spool import Spool
from steer.store import Store


def test_what_another_run_tidies_up_meanwhile_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter([folder / "gone"]))
    Spool(Store(tmp_path), "key", 1, 4).open()
