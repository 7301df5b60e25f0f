"""A folder of vectors: ``<name>/vector.safetensors`` and ``<name>/card.json``."""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store import tensors
from steer.store.card import Card, CardError
from steer.store.checks import Array
from steer.store.kinds import KINDS, Item

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?")
CARD, TENSORS = "card.json", "vector.safetensors"

AnyItem = TypeVar("AnyItem", bound=Item)


class Store:
    """Vectors below one folder. Names are looked up, never used as paths from outside.

    Safe to share between processes: writes replace whole files by rename, and a reader checks
    that the tensors are those of the card it read.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._loaded: dict[str, tuple[tuple[int, int], Item]] = {}

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._names())

    def _names(self) -> Iterator[str]:
        for pattern in (f"*/{CARD}", f"*/*/{CARD}"):
            for card in self.root.glob(pattern):
                name = card.parent.relative_to(self.root).as_posix()
                if NAME.fullmatch(name):
                    yield name

    def get(self, name: str) -> Item:
        """Load and verify what is stored under a name; its class says the kind.

        Raises:
            InvalidRequest: ``name`` is not a name.
            NotFound: there is no such vector; the message lists close names.
            FailedPrecondition: the files are damaged; says which and how.
        """
        folder = self._folder(name)
        try:
            stat = (folder / CARD).stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(self._unknown(name), reason="VECTOR_NOT_FOUND") from None
        stamp = (stat.st_mtime_ns, stat.st_ino)
        cached = self._loaded.get(name)
        if cached and cached[0] == stamp:
            return cached[1]
        try:
            vector = self._load(name, folder)
        except FailedPrecondition:
            # Perhaps between the two files of a write: look again while nobody writes.
            with _locked(self.root, fcntl.LOCK_SH):
                vector = self._load(name, folder)
        self._loaded[name] = (stamp, vector)
        return vector

    def put(self, item: AnyItem) -> AnyItem:
        """Store an item under its name, replacing what was there. Durable when it returns.

        Returns the item as it is stored. Raises InvalidRequest with everything that does not fit.
        """
        folder = self._folder(item.name)
        with np.errstate(over="ignore"):  # What does not fit float32 is infinite, and refused.
            arrays = {key: np.asarray(array, "<f4") for key, array in item.arrays().items()}
        checked = _read(item.name, item.card, arrays, "")
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.root, fcntl.LOCK_EX):
            sha256 = _write(folder / TENSORS, tensors.encode(arrays))
            card = replace(item.card, norms=checked.norms(), sha256=sha256)
            _write(folder / CARD, [card.to_json().encode()])
        return type(item).read(item.name, card, arrays, sha256)

    def _folder(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise InvalidRequest(
                f"not a vector name: {name!r} (want {NAME.pattern})", reason="BAD_NAME"
            )
        return self.root / name

    def _unknown(self, name: str) -> str:
        known = ", ".join(self.names()[:20]) or "the store is empty"
        return f"no vector named {name!r}; stored: {known}"

    def _load(self, name: str, folder: Path) -> Item:
        try:
            card = Card.from_json((folder / CARD).read_text("utf-8"))
            with open(folder / TENSORS, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != card.sha256:
                    raise CardError(f"sha256: {TENSORS} is not the file this card describes")
                return _read(name, card, tensors.read(file), card.sha256)
        except (OSError, ValueError, InvalidRequest) as error:
            message = f"vector {name!r} is damaged: {error}"
            raise FailedPrecondition(message, reason="VECTOR_DAMAGED") from error


def _read(name: str, card: Card, arrays: dict[str, Array], sha256: str) -> Item:
    if card.kind not in KINDS:
        known = ", ".join(KINDS)
        raise InvalidRequest(f"kind: {card.kind!r} is none of {known}", reason="UNKNOWN_KIND")
    return KINDS[card.kind].read(name, card, arrays, sha256)


def bundled() -> Path:
    """The folder of vectors that ships with the project (wheel or checkout)."""
    packaged = Path(__file__).parent / "bundled"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "vectors"


@contextmanager
def _locked(root: Path, kind: int) -> Iterator[None]:
    """Hold the store's lock. It is on the folder itself, so that a read-only store has one too."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)


def _write(path: Path, chunks: Iterable[bytes | memoryview]) -> str:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return digest.hexdigest()
