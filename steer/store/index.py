"""The list of what a store holds, kept from one look at its folders to the next.

Nothing but listings depends on it. It is made from the folders, of which only those that changed
are read again; how it was last is kept in ``.index.json`` when reading everything again would be
slow, and that file may be deleted at any time.
"""

import json
import logging
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from steer.errors import FailedPrecondition, SteerError
from steer.store.address import is_name
from steer.store.files import Stamp
from steer.store.summary import FIELDS, from_row
from steer.store.versions import Versions
from steer.types import VectorInfo

log = logging.getLogger("steer.store")

FILE = ".index.json"
_FORMAT = "steer.index/1"
_WORTH_KEEPING = 200
# Looking at the folders takes at most this part of the time.
_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Row:
    """What was in a folder when its stamp was this: a summary as JSON values, or nothing."""

    stamp: Stamp | None
    summary: Mapping[str, Any] | None


class Index:
    """Names and summaries of the newest versions, in the order of their names."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._rows: dict[str, _Row] = {}
        self._names: list[str] = []
        self._unsaved = 0
        self._opened = False
        self._next_look = 0.0
        self._seen = 0
        self._lock = Lock()

    def names(self) -> list[str]:
        """All names that can be listed, sorted."""
        self._look()
        return self._names

    def page(self, after: str, limit: int, **wanted: str) -> list[VectorInfo]:
        """At most ``limit`` summaries of names behind ``after``.

        ``wanted``: fields of a summary with the value they must have; empty ones do not count.
        """
        names, rows = self.names(), self._rows
        wanted = {field: value for field, value in wanted.items() if value}
        found: list[VectorInfo] = []
        for name in names[bisect_right(names, after) :]:
            row = rows.get(name)
            if row and row.summary and all(row.summary[f] == v for f, v in wanted.items()):
                found.append(from_row(row.summary))
                if len(found) == limit:
                    break
        return found

    def _look(self) -> None:
        with self._lock:
            began = time.monotonic()
            if began < self._next_look and self._seen == self._versions.changes:
                return
            self._seen = self._versions.changes
            if not self._opened:
                self._opened = True
                self._rows = dict(self._saved())
            self._refresh()
            self._next_look = time.monotonic() + (time.monotonic() - began) / _SHARE

    def _refresh(self) -> None:
        rows, read = {}, 0
        for name, stamp in self._versions.files.folders().items():
            row = self._rows.get(name)
            if row is None and not is_name(name):
                continue
            if row is None or stamp is None or row.stamp != stamp:
                row = _Row(stamp, self._read(name))
                read += 1
            rows[name] = row
        changed = read or rows.keys() != self._rows.keys()
        self._rows = rows
        if changed or not self._names:
            self._names = sorted(name for name, row in rows.items() if row.summary)
            self._unsaved += read
            self._save()

    def _read(self, name: str) -> Mapping[str, Any] | None:
        # One that is damaged, or has just gone, must not hide the others. Get says why.
        folder = self._versions.folder(name)
        if not folder.live:
            return None
        try:
            version = self._versions.version(name, folder.live[-1], folder)
            if version.tensors not in folder.files:
                raise FailedPrecondition(f"{name!r} is damaged: {version.tensors} is missing")
            return self._versions.row(version)
        except SteerError as error:
            log.warning("not listed: %s", error.message)
            return None

    def _saved(self) -> Iterator[tuple[str, _Row]]:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            raw = json.loads(self._versions.files.read(FILE))
            if raw["format"] == _FORMAT:
                for name, (stamp, summary) in raw["rows"].items():
                    if summary is None or summary.keys() == set(FIELDS):
                        yield name, _Row(stamp, summary)

    def _save(self) -> None:
        if self._unsaved < max(_WORTH_KEEPING, len(self._rows) // 20):
            return
        known = {name: (row.stamp, row.summary) for name, row in self._rows.items() if row.stamp}
        text = json.dumps({"format": _FORMAT, "rows": known}, separators=(",", ":"))
        # A store that can not be written is listed all the same.
        with suppress(OSError):
            self._versions.files.replace(FILE, text.encode())
        self._unsaved = 0
