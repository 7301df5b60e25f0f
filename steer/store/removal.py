"""Removing versions, and clearing away what crashes and removals left behind."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from steer.errors import SteerError
from steer.store.address import Address, is_name
from steer.store.references import References
from steer.store.versions import (
    TENSOR_FILE,
    Folder,
    Versions,
    card_file,
    gone_file,
)
from steer.types import Removed

DAY = 86_400.0


class Removal:
    """Deletes versions. Where the place has no locks, tensors wait for ``sweep``."""

    def __init__(self, versions: Versions, references: References) -> None:
        self._versions = versions
        self._references = references
        self._files = versions.files

    def delete(self, address: Address) -> Removed:
        """Delete the version an address means; of a name alone, all its versions.

        A damaged one can be deleted by name or number. Raises as ``Versions.resolve``.
        """
        try:
            with self._files.locked(exclusive=True):
                return self._delete(address)
        finally:
            self._versions.changed(address.name)

    def _delete(self, address: Address) -> Removed:
        removed, kept = [], {}
        for number in self._meant(address):
            kept_as, by = self._mark(address.name, number)
            if by:
                kept[kept_as] = by
            else:
                self._erase(address.name, number)
                removed.append(f"{address.name}@{number}")
        return Removed(tuple(removed), kept)

    def _meant(self, address: Address) -> tuple[int, ...]:
        live = self._versions.folder(address.name).live
        if address.hex is None and address.number is None and live:
            return live
        if address.number in live:
            return (address.number,)
        return (self._versions.resolve(address).number,)

    def _mark(self, name: str, number: int) -> tuple[str, tuple[str, ...]]:
        """Mark a version as gone, and only then look who refers to it, and by what address."""
        with suppress(FileExistsError):
            self._files.create(f"{name}/{gone_file(number)}", b"")
        try:
            version = self._versions.version(name, number, self._versions.folder(name))
        except SteerError:
            return "", ()
        return version.address, self._references.by(version.address)

    def _erase(self, name: str, number: int) -> None:
        """Remove the files of a version; the card first, so that it never lacks its tensors."""
        folder = self._versions.folder(name)
        mine = self._tensors(name, folder, number)
        self._files.remove(f"{name}/{card_file(number)}")
        others = [self._tensors(name, folder, n) for n in folder.cards if n != number]
        if self._files.locks and mine and None not in others and mine not in others:
            self._files.remove(f"{name}/{mine}")

    def _tensors(self, name: str, folder: Folder, number: int) -> str | None:
        """The tensor file a card needs; None when the card can not be read."""
        try:
            return self._versions.version(name, number, folder).tensors
        except SteerError:
            return None

    def release(self, address: Address, by: str) -> None:
        """Refer no longer to the version with this hash; erase it if that was all that kept it.

        Raises as ``Versions.resolve``.
        """
        with self._files.locked(exclusive=True):
            found = self._versions.resolve(address)
            self._references.remove(found, by)
            if self._references.by(found.address):
                return
            for version in self._versions.readable(found.name, self._versions.folder(found.name)):
                if version.retired and version.digest == found.digest:
                    self._erase(version.name, version.number)

    def sweep(self, older_than: float = DAY) -> tuple[str, ...]:
        """Clear away what is left over and older than ``older_than`` seconds; returns what it was.

        That is: uploads nobody goes on with, tensors without a card, and deleted versions nobody
        refers to. ``older_than`` must be longer than an upload may take to be committed.
        """
        if not self._files.folders() and not self._files.staging.is_dir():
            return ()  # To lock a store makes its folder.
        before = time.time() - older_than
        with self._files.locked(exclusive=True):
            left = [name for name in self._files.folders() if is_name(name)]
            swept = [path for name in left for path in self._sweep(name, before)]
        return (*_sweep_uploads(self._files.staging, before), *swept)

    def _sweep(self, name: str, before: float) -> Iterator[str]:
        folder = self._versions.folder(name)
        for number in sorted(folder.gone & {*folder.cards}):
            if not self._mark(name, number)[1]:
                self._erase(name, number)
                yield f"{name}/{card_file(number)}"
        for file in orphans(self._versions, name, self._versions.folder(name)):
            modified = folder.files[file].modified
            if modified is not None and modified < before:
                self._files.remove(f"{name}/{file}")
                yield f"{name}/{file}"


def orphans(versions: Versions, name: str, folder: Folder) -> tuple[str, ...]:
    """Tensor files no card of the folder needs; none when a card can not be read."""
    known = tuple(versions.readable(name, folder))
    if len(known) < len(folder.cards):
        return ()
    needed = {version.tensors for version in known}
    return tuple(sorted(f for f in folder.files if TENSOR_FILE.fullmatch(f) and f not in needed))


def _sweep_uploads(staging: Path, before: float) -> Iterator[str]:
    # What describes an upload is needed as long as pieces of it arrive, and goes first: judged
    # after them, by its own age, it would be left for another day.
    for path in sorted(staging.iterdir()) if staging.is_dir() else ():
        data = path.with_suffix(".part")
        with suppress(FileNotFoundError), open(data if data.exists() else path, "rb") as file:
            # An upload that is open is locked.
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file.fileno()).st_mtime < before:
                    path.unlink()
                    yield f"upload {path.name}"
