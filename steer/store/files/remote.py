"""Files on anything fsspec reaches: ``s3://bucket/vectors``, ``memory://vectors``.

What differs from a local folder, and what follows: there is no rename and no lock, so removing a
version leaves its tensors to ``Store.sweep``, which waits until no upload can be counting on them.
``create`` is exclusive where the driver has fsspec's ``mode="create"`` by a condition of the
service (s3fs and gcsfs do); other drivers look first and then write, and are for one writer.
"""

import hashlib
import inspect
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from threading import RLock
from typing import Any

from fsspec.core import url_to_fs

from steer.store.files.base import Entry, Files, Mark

# fsspec's memory file system gives every reader the same file, with one position.
_MEMORY = RLock()

_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
_STAMPS = ("size", "ETag", "etag", "generation", "md5", *_TIMES)


class RemoteFiles(Files):
    """Files below a URL. Credentials are the driver's business: environment, profile, role."""

    locks = False

    def __init__(self, url: str) -> None:
        self.fs, root = url_to_fs(url, use_listings_cache=False)
        self.root = root.rstrip("/")
        self.place = url
        key = _hash(url)[:16]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.staging = cache / "steer" / "uploads" / key
        memory = self.fs.protocol == "memory"
        self._guard: AbstractContextManager[Any] = _MEMORY if memory else nullcontext()
        write = getattr(self.fs, "_pipe_file", self.fs.pipe_file)
        self._exclusive = "mode" in inspect.signature(write).parameters

    def folders(self) -> Mapping[str, Mark]:
        """From one listing of everything."""
        found: dict[str, list[str]] = defaultdict(list)
        for path, info in self._find().items():
            folder, _, name = path.rpartition("/")
            if folder and not folder.startswith("."):
                found[folder].append(f"{name} {_entry(info).stamp}")
        return {
            folder: Mark(_hash("\n".join(sorted(files))), True) for folder, files in found.items()
        }

    def mark(self, folder: str) -> Mark | None:
        """None: a listing tells of everything."""
        return None

    def remember(self, folders: Mapping[str, Mark]) -> None:
        """Nothing is looked into."""

    def _find(self) -> dict[str, Any]:
        with self._guard, suppress(FileNotFoundError):
            self.fs.invalidate_cache()
            found = self.fs.find(self.root, detail=True)
            return {path[len(self.root) + 1 :]: info for path, info in found.items()}
        return {}

    def entries(self, folder: str) -> Mapping[str, Entry]:
        """The files in a folder by name."""
        return {name: _entry(info) for name, info in self._ls(folder) if info["type"] == "file"}

    def subfolders(self, folder: str) -> tuple[str, ...]:
        """Names of the folders in a folder."""
        return tuple(name for name, info in self._ls(folder) if info["type"] == "directory")

    def _ls(self, folder: str) -> list[tuple[str, Any]]:
        with self._guard, suppress(FileNotFoundError):
            self.fs.invalidate_cache()
            found = self.fs.ls(self._full(folder), detail=True)
            return [(info["name"].rstrip("/").rpartition("/")[2], info) for info in found]
        return []

    def read(self, path: str) -> bytes:
        """A small file."""
        with self._guard:
            return bytes(self.fs.cat_file(self._full(path)))

    def open(self, path: str) -> BufferedReader:
        """A local copy without a name: it goes when it is closed and no longer mapped."""
        with tempfile.NamedTemporaryFile() as copy, self._guard:
            self.fs.get_file(self._full(path), copy.name)
            return open(copy.name, "rb")

    def create(self, path: str, data: bytes) -> None:
        """By a conditional write, see above."""
        full = self._full(path)
        with self._guard:
            if self._exclusive:
                self.fs.pipe_file(full, data, mode="create")
            elif self.fs.exists(full):
                raise FileExistsError(path)
            else:
                self.fs.pipe_file(full, data)

    def replace(self, path: str, data: bytes) -> None:
        """By writing: objects appear whole."""
        with self._guard:
            self.fs.pipe_file(self._full(path), data)

    def take(self, staged: Path, path: str) -> None:
        """By writing; written again when it is there, so that it is young in the eyes of sweep."""
        with self._guard:
            self.fs.put_file(str(staged), self._full(path))
        staged.unlink()

    def remove(self, path: str) -> None:
        """Remove a file."""
        with self._guard, suppress(FileNotFoundError):
            self.fs.rm_file(self._full(path))

    @contextmanager
    def locked(self, *, exclusive: bool) -> Iterator[None]:
        """Nothing: object stores have no locks."""
        yield

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}".rstrip("/")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(info: Mapping[str, Any]) -> Entry:
    stamp = " ".join(str(info[key]) for key in _STAMPS if key in info)
    times = [info[key] for key in _TIMES if info.get(key) is not None]
    return Entry(info["size"], stamp, _seconds(times[0]) if times else None)


def _seconds(time: Any) -> float | None:
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    if isinstance(time, datetime):
        return time.timestamp()
    return float(time) if isinstance(time, int | float) else None
