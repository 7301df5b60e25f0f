"""What a store asks of the place its files are in.

The one primitive everything rests on is ``create``: a file appears whole under a path where there
was none, or not at all. Nothing else is shared between writers, so nothing else needs a lock.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

Stamp = int | str
"""What changes when a file or folder does."""


class Mark(NamedTuple):
    """How a folder was. ``settled`` is False when it had changed so recently that its stamp would
    not show a second change."""

    stamp: Stamp
    settled: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a listing shows it.

    ``modified``: seconds since the epoch, None when the place
    does not say. ``regular`` is False for links and devices, which are never opened.
    """

    size: int
    stamp: Stamp
    modified: float | None
    regular: bool = True


class Files(ABC):
    """Files by path below a root. Paths are relative, with ``/``, and made by the store alone.

    Reading raises FileNotFoundError, and NotADirectoryError where a part of the path is a file.
    """

    place: str
    """Where they are, for whoever has to look after them: a folder or a URL."""

    staging: Path
    """Local folder for uploads on their way; may not exist yet."""

    locks: bool
    """Whether ``locked`` keeps other processes out, or does nothing."""

    @abstractmethod
    def folders(self) -> Mapping[str, Mark]:
        """Every folder that may be a name, with a stamp that changes when a file comes or goes."""

    @abstractmethod
    def mark(self, folder: str) -> Mark | None:
        """As ``folders`` has it of one; None where only a look at everything tells."""

    @abstractmethod
    def remember(self, folders: Mapping[str, Mark]) -> None:
        """What ``folders`` gave some time ago, perhaps in another process: those that are as they
        were need not be looked into."""

    @abstractmethod
    def entries(self, folder: str) -> Mapping[str, Entry]:
        """The files in a folder by name; empty when there is no such folder."""

    @abstractmethod
    def subfolders(self, folder: str) -> tuple[str, ...]:
        """Names of the folders in a folder; empty when there is no such folder."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """A small file."""

    @abstractmethod
    def open(self, path: str) -> BufferedReader:
        """A file to read and map that stays readable when it is removed meanwhile."""

    @abstractmethod
    def create(self, path: str, data: bytes) -> None:
        """Write a new small file, whole and durable, with its folders.

        Raises FileExistsError when there is one; what it holds is then untouched.
        """

    @abstractmethod
    def replace(self, path: str, data: bytes) -> None:
        """Write a small file, whole and durable, in place of what was there."""

    @abstractmethod
    def take(self, staged: Path, path: str) -> None:
        """Put a file out of ``staging`` in place, whole and durable, with its folders.

        Raises NotADirectoryError when a file is where a folder has to be.
        """

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when it is not there."""

    @abstractmethod
    def locked(self, *, exclusive: bool) -> AbstractContextManager[None]:
        """Keep removals (exclusive) and writes (shared) apart, where the place can."""
