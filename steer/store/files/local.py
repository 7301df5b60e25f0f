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

from steer.store.files.base import Entry, Files, Mark

# A folder's time of change can not tell changes apart that come within its resolution, which is
# seconds on some file systems.
_RESOLUTION_NS = 2_000_000_000


class LocalFiles(Files):
    """A folder. Writers of one host are kept apart from removals by ``flock`` on the root."""

    locks = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = str(root)
        self.staging = root / ".uploads"
        self._children: dict[str, tuple[int, tuple[str, ...]]] = {}

    def folders(self) -> Mapping[str, Mark]:
        """Folders one and two levels down, by the time of their last change."""
        trusted = _trusted()
        found: dict[str, Mark] = {}
        for folder, changed in self._below("", _changed(str(self.root)), trusted):
            found[folder] = Mark(changed, changed < trusted)
            if self._children.get(folder) == (changed, ()) and changed < trusted:
                continue  # As most are.
            for inner, inner_changed in self._below(folder, changed, trusted):
                found[inner] = Mark(inner_changed, inner_changed < trusted)
        return found

    def mark(self, folder: str) -> Mark:
        """By the time of its last change."""
        changed = _changed(f"{self.root}/{folder}")
        return Mark(changed, changed < _trusted())

    def remember(self, folders: Mapping[str, Mark]) -> None:
        """Which folders are in which."""
        inner: dict[str, list[str]] = {}
        for path in folders:
            outer, slash, name = path.rpartition("/")
            if slash:
                inner.setdefault(outer, []).append(name)
        for path, (stamp, settled) in folders.items():
            if settled and isinstance(stamp, int) and "/" not in path:
                self._children[path] = stamp, tuple(inner.get(path, ()))

    # Called for every folder of the store at every look, so it does without niceties.
    def _below(self, folder: str, changed: int, trusted: int) -> list[tuple[str, int]]:
        known = self._children.get(folder)
        if known is None or known[0] != changed or changed >= trusted:
            self._children[folder] = known = (changed, self.subfolders(folder))
        prefix = f"{folder}/" if folder else ""
        base = f"{self.root}/{prefix}"
        return [(prefix + name, _changed(base + name)) for name in known[1]]

    def subfolders(self, folder: str) -> tuple[str, ...]:
        """Names of the folders in a folder."""
        with suppress(FileNotFoundError, NotADirectoryError):
            found = os.scandir(self._folder(folder))
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
            for one in os.scandir(self._folder(folder)):
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
        return os.fdopen(os.open(self._file(path), os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def create(self, path: str, data: bytes) -> None:
        """By a hard link: the only way to a name that is new, with the content already there."""
        target = self._prepare(path)
        with self._written(data) as temporary:
            os.link(temporary, target)
        self._sync_up(target.parent)

    def replace(self, path: str, data: bytes) -> None:
        """By renaming."""
        target = self._prepare(path)
        with self._written(data) as temporary:
            os.replace(temporary, target)
        self._sync_up(target.parent)

    def take(self, staged: Path, path: str) -> None:
        """By renaming."""
        target = self._prepare(path)
        with open(staged, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(staged, 0o644)
        os.replace(staged, target)
        self._sync_up(target.parent)

    def remove(self, path: str) -> None:
        """Remove a file."""
        with suppress(FileNotFoundError):
            os.unlink(self._file(path))

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

    def _file(self, path: str) -> Path:
        folder, _, name = path.rpartition("/")
        return self._folder(folder) / name

    def _folder(self, path: str) -> Path:
        """Raises NotADirectoryError where a part of the path is a link: what it points at is
        somebody else's."""
        here = self.root
        for part in filter(None, path.split("/")):
            here = here / part
            if here.is_symlink():
                raise NotADirectoryError(path)
        return here

    def _prepare(self, path: str) -> Path:
        target = self._file(path)
        if not self.root.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            _sync(self.root.parent)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(path) from error
        return target

    def _sync_up(self, folder: Path) -> None:
        # All the way: another writer may have made a folder and not yet have made it durable.
        _sync(folder)
        if folder != self.root:
            self._sync_up(folder.parent)

    @contextmanager
    def _written(self, data: bytes) -> Iterator[Path]:
        """A durable file with this content, which is gone when the block is left."""
        self.staging.mkdir(parents=True, exist_ok=True)
        path = self.staging / f"{secrets.token_hex(8)}.tmp"
        try:
            with open(path, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), 0o644)
            yield path
        finally:
            path.unlink(missing_ok=True)


def _trusted() -> int:
    """What changed before this time would show another change."""
    return time.time_ns() - _RESOLUTION_NS


def _changed(path: str) -> int:
    """Time of the last change in ns; of what is gone, one that is never trusted."""
    try:
        return os.stat(path).st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 2**62


def _entry(status: os.stat_result) -> Entry:
    stamp = f"{status.st_mtime_ns} {status.st_ino} {status.st_size}"
    return Entry(status.st_size, stamp, status.st_mtime, stat.S_ISREG(status.st_mode))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
