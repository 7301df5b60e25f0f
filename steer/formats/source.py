"""A named set of files to read from: a local file, a folder, or what was uploaded.

Names of uploaded files are only looked up, never opened as paths. Links are not followed.
"""

import hashlib
import os
import stat
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, TypeVar, cast

from steer.errors import NotFound, Violations
from steer.folder import MOST_FILES, path_problem, walk
from steer.formats.refusal import refuse

T = TypeVar("T")


@dataclass(frozen=True)
class File:
    """One file: its path in the source (``/`` between folders), its size in bytes, its content.

    ``content``: the bytes, or the regular file on this machine that has them.
    """

    path: str
    size: int
    content: bytes | Path

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path without its last part; empty at the top."""
        return self.path.rpartition("/")[0]

    @property
    def at(self) -> str:
        """How violations name it."""
        return f"files[{self.path}]"

    @cached_property
    def _parsed(self) -> dict[Callable[["File"], Any], Any]:
        return {}

    def once(self, parse: Callable[["File"], T]) -> T:
        """What ``parse`` makes of the file, kept for the next who asks."""
        if parse not in self._parsed:
            self._parsed[parse] = parse(self)
        return cast(T, self._parsed[parse])

    @cached_property
    def handle(self) -> BufferedReader | BytesIO:
        """The open file, shared by all who read it (seek before reading) while this is alive.

        Raises InvalidRequest when it is not the regular file it was.
        """
        if isinstance(self.content, bytes):
            return BytesIO(self.content)
        try:
            descriptor = os.open(self.content, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            refuse(self.at, "UNREADABLE", f"can not be read: {error.strerror}")
        self.__dict__["_close"] = weakref.finalize(self, os.close, descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != self.size:
            refuse(self.at, "UNREADABLE", "changed while it was read")
        return open(descriptor, "rb", closefd=False)

    def forget(self) -> None:
        """Drop what was kept, and close the file until it is read again.

        What was parsed refers to the file, so that without this both would wait for the collector.
        """
        for kept in ("_parsed", "handle"):
            self.__dict__.pop(kept, None)
        close = self.__dict__.pop("_close", None)
        if close is not None:
            close()

    def sha256(self) -> str:
        """Of the whole content, in hex."""
        self.handle.seek(0)
        return hashlib.file_digest(self.handle, "sha256").hexdigest()

    def read(self, start: int, length: int) -> bytes:
        """``length`` bytes from ``start``. Raises InvalidRequest when they are not there."""
        if start < 0 or length < 0 or start + length > self.size:
            refuse(self.at, "TRUNCATED", f"ends at {self.size}, before {start + length}")
        self.handle.seek(start)
        data = self.handle.read(length)
        if len(data) != length:
            refuse(self.at, "TRUNCATED", f"ends before {start + length}")
        return data


@dataclass(frozen=True)
class Source:
    """Files by path, and ``label``: where they came from, in which hints such as a layer may be.

    The label is never opened. For a local path it is that path, for an upload what the sender calls
    it.
    """

    files: Mapping[str, File]
    label: str = ""

    @classmethod
    def of_path(cls, path: str | Path) -> "Source":
        """A local file or folder, for callers that were given the path by the machine's own user.

        A path from a request must never come here. Raises NotFound when there is none, and
        InvalidRequest listing links, special files, and folders that are too deep or too full.
        """
        root = Path(path)
        if not root.exists():
            raise NotFound(f"{path}: there is no such file or folder", reason="FILE_NOT_FOUND")
        root, found = root.resolve(), Violations()
        if root.is_dir():
            pairs = list(walk(root, found))
        elif root.is_file():
            pairs = [(root.name, root)]
        else:
            refuse("files", "NOT_A_FILE", f"{path} is neither a regular file nor a folder")
        found.raise_if_any()
        label = root if root.is_dir() else root.parent
        files = {name: File(name, local.stat().st_size, local) for name, local in pairs}
        return cls(files, label.as_posix())

    @classmethod
    def of_files(cls, files: Mapping[str, bytes | Path], label: str = "") -> "Source":
        """An uploaded set: bytes, or the temporary files the receiver wrote them to, by name.

        Raises InvalidRequest naming every file whose name is a path out of the set.
        """
        found = Violations()
        if len(files) > MOST_FILES:
            found.add("files", "TOO_MANY", f"are {len(files)}, want at most {MOST_FILES}")
        for path in files:
            problem = path_problem(path)
            if problem:
                found.add(f"files[{path[:100]!r}]", "BAD_PATH", problem)
        found.raise_if_any()
        sizes = {
            path: len(content) if isinstance(content, bytes) else content.stat().st_size
            for path, content in files.items()
        }
        return cls({p: File(p, sizes[p], files[p]) for p in files}, label)

    def named(self, name: str) -> list[File]:
        """Files with this last part of the path, shallowest first."""
        found = [file for file in self.files.values() if file.name == name]
        return sorted(found, key=lambda file: (file.path.count("/"), file.path))

    def ending(self, *endings: str) -> list[File]:
        """Files whose path ends so, in order of path."""
        return [self.files[path] for path in sorted(self.files) if path.endswith(endings)]

    def folders(self, name: str, *beside: str) -> dict[str, File]:
        """Files of that name that have all of ``beside`` beside them, by folder (``.`` on top)."""
        return {
            file.folder or ".": file
            for file in self.named(name)
            if all(self.beside(file, other) for other in beside)
        }

    def beside(self, file: File, name: str) -> File | None:
        """The file of that name in the folder of another."""
        return self.files.get(f"{file.folder}/{name}".lstrip("/"))

    def within(self, folder: str) -> "Source":
        """The files below a folder, by their path in it."""
        prefix = f"{folder}/"
        inner = {p[len(prefix) :]: f for p, f in self.files.items() if p.startswith(prefix)}
        return Source(
            {path: File(path, file.size, file.content) for path, file in inner.items()},
            f"{self.label}/{folder}",
        )

    def forget(self) -> None:
        """``File.forget`` of every file."""
        for file in self.files.values():
            file.forget()

    def where(self, file: File) -> str:
        """Label and path, for hints in names."""
        return f"{self.label}/{file.path}"
