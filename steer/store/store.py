"""A folder of vectors: ``<name>/vector.safetensors`` and ``<name>/card.json``."""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store.card import Card, CardError
from steer.types import Site, VectorInfo

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?")
CARD, TENSORS = "card.json", "vector.safetensors"

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Vector:
    """A loaded vector: float32 arrays of shape (d_model,) by site, and its card."""

    name: str
    tensors: Mapping[Site, Array]
    card: Card
    content_hash: str

    def info(self) -> VectorInfo:
        """The vector as listings show it."""
        card = self.card
        return VectorInfo(
            name=self.name,
            content_hash=self.content_hash,
            kind=card.kind,
            description=card.description,
            model=card.model,
            fingerprint=card.fingerprint,
            d_model=card.d_model,
            sites=card.sites,
            norms=tuple(float(np.linalg.norm(self.tensors[site])) for site in card.sites),
            method=card.method,
            licence=card.licence,
            created=card.created,
            card=card.to_dict(),
        )


class Store:
    """Vectors below one folder. Names are looked up, never used as paths from outside.

    Safe to share between processes: writes replace whole files by rename, and a reader checks
    that the tensors are those of the card it read.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._loaded: dict[str, tuple[tuple[int, int], Vector]] = {}

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._names())

    def _names(self) -> Iterator[str]:
        for pattern in (f"*/{CARD}", f"*/*/{CARD}"):
            for card in self.root.glob(pattern):
                name = card.parent.relative_to(self.root).as_posix()
                if NAME.fullmatch(name):
                    yield name

    def get(self, name: str) -> Vector:
        """Load and verify a vector.

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

    def put(self, name: str, tensors: Mapping[Site, Array], card: Card) -> Vector:
        """Store a vector under ``name``, replacing what was there. Durable when it returns.

        Raises InvalidRequest when a tensor is not finite, is zero, or does not fit the card.
        """
        folder = self._folder(name)
        arrays = {site: np.ascontiguousarray(array, "<f4") for site, array in tensors.items()}
        _check(name, arrays, card)
        data = save({str(site): arrays[site] for site in sorted(arrays)})
        card = replace(card, sha256=hashlib.sha256(data).hexdigest())
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.root, fcntl.LOCK_EX):
            _write(folder / TENSORS, data)
            _write(folder / CARD, card.to_json().encode())
        return Vector(name, arrays, card, content_hash(arrays))

    def _folder(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise InvalidRequest(
                f"not a vector name: {name!r} (want {NAME.pattern})", reason="BAD_NAME"
            )
        return self.root / name

    def _unknown(self, name: str) -> str:
        known = ", ".join(self.names()[:20]) or "the store is empty"
        return f"no vector named {name!r}; stored: {known}"

    def _load(self, name: str, folder: Path) -> Vector:
        try:
            card = Card.from_json((folder / CARD).read_text("utf-8"))
            data = (folder / TENSORS).read_bytes()
            if hashlib.sha256(data).hexdigest() != card.sha256:
                raise CardError(f"sha256: {TENSORS} is not the file this card describes")
            arrays = {Site.parse(key): value for key, value in load(data).items()}
            _check(name, arrays, card)
        except (OSError, ValueError, KeyError, SafetensorError, InvalidRequest) as error:
            message = f"vector {name!r} is damaged: {error}"
            raise FailedPrecondition(message, reason="VECTOR_DAMAGED") from error
        return Vector(name, arrays, card, content_hash(arrays))


def content_hash(arrays: Mapping[Site, Array]) -> str:
    """``sha256:`` and the hex digest over sites and float32 bytes, in site order."""
    digest = hashlib.sha256()
    for site in sorted(arrays):
        digest.update(f"{site}:{arrays[site].shape[0]}\n".encode())
        digest.update(arrays[site].astype("<f4", copy=False).tobytes())
    return f"sha256:{digest.hexdigest()}"


def bundled() -> Path:
    """The folder of vectors that ships with the project (wheel or checkout)."""
    packaged = Path(__file__).parent / "bundled"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "vectors"


def _check(name: str, arrays: Mapping[Site, Array], card: Card) -> None:
    if set(arrays) != set(card.sites):
        raise InvalidRequest(f"{name}: tensors {sorted(map(str, arrays))} are not the card's sites")
    for site, array in arrays.items():
        if array.dtype != np.float32 or array.shape != (card.d_model,):
            raise InvalidRequest(
                f"{name}: {site} is {array.dtype} {array.shape}, want float32 ({card.d_model},)"
            )
        if not np.isfinite(array).all():
            raise InvalidRequest(f"{name}: {site} holds NaN or infinity")
        if not array.any():
            raise InvalidRequest(f"{name}: {site} is all zero")


@contextmanager
def _locked(root: Path, kind: int) -> Iterator[None]:
    """Hold the store's lock. It is on the folder itself, so that a read-only store has one too."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)


def _write(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
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
