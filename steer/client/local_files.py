"""Files on this side, in pieces."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from steer.errors import InvalidRequest, NotFound, Violations
from steer.folder import walk

PIECE = 1 << 20
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file, and where in it they begin."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of ``size`` bytes: a path, or the bytes themselves."""

    size: int
    content: Path | bytes

    @classmethod
    def of(cls, content: Path | bytes) -> "LocalFile":
        """What is there now."""
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        return cls(size, content)

    def open(self) -> BinaryIO:
        """The content."""
        if isinstance(self.content, bytes):
            return BytesIO(self.content)
        return open(self.content, "rb")

    def pieces(self, offset: int = 0) -> Iterator[Piece]:
        """The bytes from an offset on."""
        with self.open() as file:
            file.seek(offset)
            while data := file.read(PIECE):
                yield Piece(offset, data)
                offset += len(data)


def local_files(source: str | Path | Mapping[str, bytes]) -> dict[str, LocalFile]:
    """A file, all files of a folder, or bytes by name: by their paths, with ``/``.

    Hidden files are left out. Raises NotFound, or InvalidRequest for what is neither file nor
    folder, or listing what in a folder is neither: what a link in it points at was not given.
    """
    if isinstance(source, Mapping):
        return {name: LocalFile.of(content) for name, content in source.items()}
    root = Path(source)
    if root.is_dir():
        found = Violations()
        paths = dict(walk(root, found))
        found.raise_if_any()
        return {path: LocalFile.of(paths[path]) for path in sorted(paths)}
    if root.is_file():
        return {root.name: LocalFile.of(root)}
    if root.exists():
        raise InvalidRequest(f"{source} is neither a file nor a folder", reason="NOT_A_FILE")
    raise NotFound(f"{source}: there is no such file or folder", reason="FILE_NOT_FOUND")


def safe_path(path: str) -> str:
    """``path`` if it stays in the folder it is joined to. Raises InvalidRequest: a server that says
    another is not to be trusted."""
    if "\\" in path or {"", ".", ".."} & {*path.split("/")}:
        raise InvalidRequest(f"the server names a file {path!r}, which is no plain path")
    return path
