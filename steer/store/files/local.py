"""Files in a local folder, by the operations of POSIX that are atomic and can be made durable."""

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from steer.store.files.base import Entry, Files, Stamp

# A folder's time of change can not tell changes apart that come within its resolution, which is
# seconds on some file systems.
_RESOLUTION_NS = 2_000_000_000


class LocalFiles(Files):
    """A folder. Writers of one host are kept apart from removals by ``flock`` on the root."""

    locks = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.staging = root / ".uploads"
        self._children: dict[str, tuple[int, tuple[str, ...]]] = {}

    def folders(self) -> Mapping[str, Stamp | None]:
        """Folders one and two levels down, by the time of their last change."""
        trusted = time.time_ns() - _RESOLUTION_NS
        found: dict[str, Stamp | None] = {}
        for folder, changed in self._below("", trusted):
            found[folder] = changed if changed < trusted else None
            for inner, inner_changed in self._below(folder, trusted, changed):
                found[inner] = inner_changed if inner_changed < trusted else None
        return found

    def _below(
        self, folder: str, trusted: int, changed: int | None = None
    ) -> Iterator[tuple[str, int]]:
        with suppress(FileNotFoundError, NotADirectoryError):
            if changed is None:
                changed = os.stat(self.root / folder).st_mtime_ns
            known = self._children.get(folder)
            if known is None or known[0] != changed or changed >= trusted:
                self._children[folder] = known = (changed, self.subfolders(folder))
            base = f"{self.root}{os.sep}{folder}"
            for name in known[1]:
                with suppress(FileNotFoundError):
                    path = f"{folder}/{name}" if folder else name
                    yield path, os.stat(f"{base}{os.sep}{name}").st_mtime_ns

    def subfolders(self, folder: str) -> tuple[str, ...]:
        """Names of the folders in a folder."""
        with suppress(FileNotFoundError, NotADirectoryError):
            found = os.scandir(self.root / folder)
            return tuple(
                one.name
                for one in found
                if not one.name.startswith(".") and one.is_dir(follow_symlinks=False)
            )
        return ()

    def entries(self, folder: str) -> Mapping[str, Entry]:
        """The files in a folder by name."""
        found = {}
        with suppress(FileNotFoundError, NotADirectoryError):
            for one in os.scandir(self.root / folder):
                with suppress(FileNotFoundError):
                    status = one.stat(follow_symlinks=False)
                    if not stat.S_ISDIR(status.st_mode):
                        found[one.name] = _entry(status)
        return found

    def read(self, path: str) -> bytes:
        """A small file."""
        with self.open(path) as file:
            return file.read()

    def open(self, path: str) -> BufferedReader:
        """The file itself; a link is refused."""
        return os.fdopen(os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def create(self, path: str, data: bytes) -> None:
        """By a hard link: the only way to a name that is new, with the content already there."""
        target = self._prepare(path)
        temporary = self._written(data)
        try:
            os.link(temporary, target)
        finally:
            temporary.unlink()
        _sync_folder(target.parent)

    def replace(self, path: str, data: bytes) -> None:
        """By renaming."""
        target = self._prepare(path)
        os.replace(self._written(data), target)
        _sync_folder(target.parent)

    def take(self, staged: Path, path: str) -> None:
        """By renaming."""
        target = self._prepare(path)
        with open(staged, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(staged, 0o644)
        os.replace(staged, target)
        _sync_folder(target.parent)

    def remove(self, path: str) -> None:
        """Remove a file."""
        with suppress(FileNotFoundError):
            os.unlink(self.root / path)

    @contextmanager
    def locked(self, *, exclusive: bool) -> Iterator[None]:
        """``flock`` on the root itself, which leaves no file behind."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)

    def _prepare(self, path: str) -> Path:
        target = self.root / path
        missing = [parent for parent in target.parents if not parent.is_dir()]
        if any(parent.exists() for parent in missing):
            raise NotADirectoryError(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        for parent in missing:
            _sync_folder(parent.parent)
        return target

    def _written(self, data: bytes) -> Path:
        self.staging.mkdir(parents=True, exist_ok=True)
        path = self.staging / f"{secrets.token_hex(8)}.tmp"
        with open(path, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        return path


def _entry(status: os.stat_result) -> Entry:
    stamp = f"{status.st_mtime_ns} {status.st_ino} {status.st_size}"
    return Entry(status.st_size, stamp, status.st_mtime, stat.S_ISREG(status.st_mode))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
