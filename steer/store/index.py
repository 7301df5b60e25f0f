"""The list of what a store holds, kept from one look at its folders to the next.

Nothing but listings depends on it. It is made from the folders, of which only those that changed
are read again; how it was last is kept in ``.index.json`` when reading everything again would be
slow, and that file may be deleted at any time.
"""

import json
import logging
import time
from bisect import bisect_right, insort
from collections.abc import Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import Lock, Thread
from typing import Any, NamedTuple

from steer.errors import FailedPrecondition, SteerError
from steer.store.address import is_name
from steer.store.files import Mark
from steer.store.summary import FIELDS, from_row
from steer.store.versions import Versions
from steer.store.writable import reading
from steer.types import VectorInfo

log = logging.getLogger("steer.store")

FILE = ".index.json"
_FORMAT = "steer.index/2"
_WORTH_KEEPING = 200
# Looking at the folders takes at most this part of the time,
_SHARE = 0.1
# and what was read too soon after its folder changed is read again for so many seconds a look.
_AGAIN = 0.02
# Who asks waits for so many seconds for a look, except for the first.
_PATIENCE = 0.05


class _Row(NamedTuple):
    """What was in a folder when its mark was this: values of ``FIELDS`` as JSON, or nothing."""

    mark: Mark | None
    summary: tuple[Any, ...] | None


class Index:
    """Names and summaries of the newest versions, in the order of their names.

    Who asks waits for a look at the folders, but not long: with very many folders, in a process
    that computes meanwhile, it takes seconds, and what it shows is what other processes did.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._rows: dict[str, _Row] = {}
        self._names: list[str] = []
        self._unsaved = 0
        self._next_look = 0.0
        self._looking: Future[None] | None = None
        self._opened = False
        self._changed: set[str] = set()
        self._lock = Lock()
        versions.watchers.append(self._note)

    def names(self) -> list[str]:
        """All names that can be listed, sorted."""
        looking = self._look()
        if looking is not None:
            wait((looking,), _PATIENCE if self._opened else None)
            if looking.done():
                with reading(self._versions.files.place):
                    looking.result()
        return self._names

    def page(self, after: str, limit: int, **wanted: str) -> list[VectorInfo]:
        """At most ``limit`` summaries of names behind ``after``.

        ``wanted``: fields of a summary with the value they must have; empty ones do not count.
        """
        names, rows = self.names(), self._rows
        has = [(FIELDS.index(field), value) for field, value in wanted.items() if value]
        found: list[VectorInfo] = []
        for name in names[bisect_right(names, after) :]:
            row = rows.get(name)
            if row and row.summary and all(row.summary[at] == value for at, value in has):
                found.append(from_row(dict(zip(FIELDS, row.summary, strict=True))))
                if len(found) == limit:
                    break
        return found

    def _note(self, name: str) -> None:
        """What this process stored or deleted shows at once."""
        with self._lock:
            self._changed.add(name)
            if not self._opened:
                return
            self._rows[name] = row = self._now(name)
            self._unsaved += 1
            listed = name in (names := self._names)
            if listed and not row.summary:
                self._names = [other for other in names if other != name]
            elif row.summary and not listed:
                # A list of its own: others may be reading the one there is.
                self._names = names = names.copy()
                insort(names, name)
        self._save()

    def _look(self) -> "Future[None] | None":
        """The look that is under way, or begun now; None where the last one was not long ago."""
        with self._lock:
            if self._looking is None and time.monotonic() >= self._next_look:
                self._looking = Future()
                Thread(target=self._run, args=(self._looking,), daemon=True).start()
            return self._looking

    def _run(self, looking: "Future[None]") -> None:
        began, problem = time.monotonic(), None
        try:
            self._refresh()
            self._save()
        except Exception as error:
            log.warning("the store can not be looked through: %s", error)
            problem = error
        with self._lock:
            self._looking = None
            # One that failed tells nobody after this one: the next who asks looks again.
            now = time.monotonic()
            self._next_look = 0.0 if problem else now + (now - began) / _SHARE
        if problem is None:
            looking.set_result(None)
        else:
            looking.set_exception(problem)

    def _refresh(self) -> None:
        if not self._opened:
            self._rows = self._saved()
            known = {name: row.mark for name, row in self._rows.items() if row.mark}
            self._versions.files.remember(known)
        with self._lock:
            self._changed.clear()
            before = self._rows.copy()
        rows, again, read = {}, [], 0
        for name, mark in self._versions.files.folders().items():
            row = before.get(name)
            if row is None or row.mark is None or row.mark.stamp != mark.stamp:
                if row is None and not is_name(name):
                    continue
                row = _Row(mark, self._read(name))
                read += 1
            elif not row.mark.settled:
                again.append((name, mark))
            rows[name] = row
        self._read_again(again, rows)
        with self._lock:
            # What this process changed meanwhile may have been looked at before.
            rows |= {name: self._now(name) for name in self._changed}
            self._rows, self._opened = rows, True
            self._names = sorted(name for name, row in rows.items() if row.summary)
            self._unsaved += read

    def _now(self, name: str) -> _Row:
        # In this order: what changes in between has another mark.
        mark = self._versions.files.mark(name)
        return _Row(mark, self._read(name))

    def _read_again(self, again: list[tuple[str, Mark]], rows: dict[str, _Row]) -> None:
        """Read what another process may have changed within the resolution of its mark.

        Not all at once: after thousands were stored together that would take long, to find nothing.
        """
        end = time.monotonic() + _AGAIN
        for name, mark in again:
            rows[name] = _Row(mark, self._read(name))
            if time.monotonic() > end:
                break

    def _read(self, name: str) -> tuple[Any, ...] | None:
        # One that is damaged, or has just gone, must not hide the others. Get says why.
        folder = self._versions.folder(name)
        if not folder.live:
            return None
        try:
            version = self._versions.version(name, folder.live[-1], folder)
            if version.tensors not in folder.files:
                raise FailedPrecondition(f"{name!r} is damaged: {version.tensors} is missing")
            row = self._versions.row(version)
            return tuple(row[field] for field in FIELDS)
        except SteerError as error:
            log.warning("not listed: %s", error.message)
            return None

    def _saved(self) -> dict[str, _Row]:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            raw = json.loads(self._versions.files.read(FILE))
            if (raw["format"], tuple(raw["fields"])) == (_FORMAT, FIELDS):
                return {name: _row(*values) for name, values in raw["rows"].items()}
        return {}

    def _save(self) -> None:
        with self._lock:
            if self._unsaved < max(_WORTH_KEEPING, len(self._rows) // 20):
                return
            self._unsaved = 0
            known = {name: (*row.mark, row.summary) for name, row in self._rows.items() if row.mark}
        raw: Mapping[str, Any] = {"format": _FORMAT, "fields": FIELDS, "rows": known}
        # A store that can not be written is listed all the same.
        with suppress(OSError):
            text = json.dumps(raw, separators=(",", ":"))
            self._versions.files.replace(FILE, text.encode())


def _row(stamp: int | str, settled: bool, summary: list[Any] | None) -> _Row:
    """A saved row. Raises ValueError or TypeError for something else."""
    if summary is not None and len(summary) != len(FIELDS):
        raise ValueError(f"{len(summary)} values")
    return _Row(Mark(stamp, settled), None if summary is None else tuple(summary))
