"""The store: immutable versions of vectors and dictionaries under names."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

import numpy as np

from steer.errors import NotFound
from steer.store import tensors
from steer.store.address import Address, parse_address
from steer.store.bounded import Bounded
from steer.store.card import Card
from steer.store.files import open_files
from steer.store.index import Index
from steer.store.kinds import Item
from steer.store.references import References
from steer.store.removal import DAY, Removal
from steer.store.summary import summary
from steer.store.upload import Upload, Uploads
from steer.store.verify import verify
from steer.store.versions import Version, Versions
from steer.store.writable import writing
from steer.types import Removed, StoreReport, VectorInfo

AnyItem = TypeVar("AnyItem", bound=Item)

_LOADED = 256


class Store:
    """Stored things below a folder or a URL that fsspec knows.

    An *address* is ``name`` (the newest version), ``name@2`` (the second), or ``name@sha256:…``
    (the one whose hash begins so, 8 digits or more). Names are looked up, never used as paths from
    outside. Versions never change. Any number of processes may use one store at once. Everything
    that writes raises FailedPrecondition (``STORE_NOT_WRITABLE``) where the place can not be
    written, and everything else (``STORE_NOT_READABLE``) where it can not be read.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = root
        files = open_files(root)
        self._versions = Versions(files)
        self._uploads = Uploads(self._versions)
        self._references = References(self._versions)
        self._removal = Removal(self._versions, self._references)
        self._index = Index(self._versions)
        self._loaded: Bounded[tuple[str, str], Item] = Bounded(_LOADED)

    def names(self) -> list[str]:
        """All names, sorted."""
        return list(self._index.names())

    def has(self, name: str) -> bool:
        """Whether there is a version of a name that was not deleted."""
        return bool(self._versions.folder(name).live)

    def page(
        self,
        after: str = "",
        limit: int = 100,
        *,
        model: str = "",
        kind: str = "",
        method: str = "",
    ) -> list[VectorInfo]:
        """At most ``limit`` things with names behind ``after``, in order, as their newest versions.

        ``model``, ``kind``, ``method``: only those with this value. What another process stored or
        deleted within the last second may be missing or still there, and with very many names a
        little longer.
        """
        return self._index.page(after, limit, model=model, kind=kind, method=method)

    def resolve(self, address: str) -> Version:
        """The version an address means, without reading its tensors.

        Raises:
            InvalidRequest: this is no address, or it is that of several versions.
            NotFound: there is no such thing; the message lists names or versions.
            FailedPrecondition: its card is damaged; says how.
        """
        with self._naming(parsed := parse_address(address)):
            return self._versions.resolve(parsed)

    def versions(self, name: str) -> list[Version]:
        """The versions of a name that were not deleted, oldest first.

        Raises as ``resolve``. Damaged ones are left out.
        """
        folder = self._versions.folder(self.resolve(name).name)
        found = self._versions.readable(parse_address(name).name, folder)
        return [version for version in found if not version.retired]

    def get(self, address: str, *, keep: bool = True) -> Item:
        """Load and verify what an address means; its class says the kind.

        Without ``keep``, what is loaded takes no place of what is used again and again. Raises as
        ``resolve``, and FailedPrecondition when the tensors are damaged.
        """
        version = self.resolve(address)
        key = (version.name, version.digest)
        item = self._loaded.get(key)
        if item is None:
            item = self._versions.load(version)
            if keep:
                self._loaded.put(key, item)
        return item

    def info(self, address: str) -> VectorInfo:
        """What an address means as listings show it, with its card; its tensors are not read.

        Raises as ``resolve``.
        """
        version = self.resolve(address)
        card = self._versions.full_card(version)
        return summary(version.name, card, version.number, version.digest)

    def card_text(self, address: str) -> str:
        """The card of a version as it was stored, to the byte. Raises as ``resolve``."""
        return self._versions.text(self.resolve(address))

    def open(self, address: str) -> tuple[Version, BufferedReader]:
        """The tensor file of a version, to send it on. It stays readable whatever is deleted."""
        version = self.resolve(address)
        return version, self._versions.open(version)

    def add(self, item: Item) -> Version:
        """Store an item as the newest version of its name. Durable when it returns.

        When the newest is just this already, nothing changes. Raises InvalidRequest with everything
        that does not fit.
        """
        with np.errstate(over="ignore"):  # What does not fit float32 is infinite, and refused.
            arrays = {key: np.asarray(array, "<f4") for key, array in item.arrays().items()}
        size, pieces = tensors.encode(arrays)
        upload = self.upload(item.name, item.card, size)
        try:
            for piece in pieces:
                upload.write(piece)
            return upload.commit()
        except BaseException:
            upload.discard()
            raise

    def put(self, item: AnyItem) -> AnyItem:
        """As ``add``; returns the item as it was stored."""
        stored = self._versions.load(self.add(item))
        assert isinstance(stored, type(item))
        return stored

    def upload(self, name: str, card: Card, size: int) -> Upload:
        """Begin to store a tensor file of ``size`` bytes in pieces, as a version of ``name``.

        ``card``: what is to be stored; the store fills in ``norms``, ``content_hash``, ``sha256``.
        Raises InvalidRequest for a bad name, card or size.
        """
        return self._uploads.begin(name, card, size)

    def known(self, name: str, card: Card, sha256: str) -> Version | None:
        """The newest version of a name if it has this card and these tensors: no need to send them.

        ``sha256``: hex digest of the tensor file. What the store fills in does not count.
        """
        return self._uploads.known(name, card, sha256)

    def resume(self, id: str) -> Upload:
        """Go on with an upload that was left off, also by another process.

        Raises NotFound when there is none, FailedPrecondition when it is open elsewhere.
        """
        return self._uploads.resume(id)

    def delete(self, address: str) -> Removed:
        """Delete a version, or all versions of a name. What is referred to is kept, see ``refer``.

        Raises as ``resolve``, but a damaged one can be deleted by name or number.
        """
        with self._changing(parsed := parse_address(address), "deleted"):
            return self._removal.delete(parsed)

    def refer(self, address: str, by: str) -> Version:
        """Keep a version for ``by`` (a run's id): ``version.address`` finds it until ``release``.

        Raises as ``resolve``, and InvalidRequest when ``by`` is not letters, digits and ``._-``.
        """
        with self._changing(parsed := parse_address(address), "referred to"):
            return self._references.add(parsed, by)

    def release(self, address: str, by: str) -> None:
        """Undo ``refer``. A version that was deleted meanwhile goes when nobody refers to it.

        ``address`` should have the hash. Raises as ``resolve``.
        """
        with self._changing(parsed := parse_address(address), "released"):
            self._removal.release(parsed, by)

    def referrers(self, address: str) -> tuple[str, ...]:
        """Who refers to a version. Raises as ``resolve``."""
        return self._references.by(self.resolve(address).address)

    def verify(self) -> StoreReport:
        """Read everything and list what is damaged."""
        return verify(self._versions, self._references)

    def sweep(self, older_than: float = DAY) -> tuple[str, ...]:
        """Clear away what interrupted writes left, if older than this many seconds."""
        with writing("what is left over can not be cleared away", self.root):
            return self._removal.sweep(older_than)

    @contextmanager
    def _changing(self, address: Address, done: str) -> Iterator[None]:
        change = f"{address.name!r} can not be {done}"
        with writing(change, self.root), self._naming(address):
            yield

    @contextmanager
    def _naming(self, address: Address) -> Iterator[None]:
        """Where there is nothing of that name, say which names there are."""
        try:
            yield
        except NotFound as error:
            if self._versions.folder(address.name).live:
                raise
            known = ", ".join(self.names()[:20]) or "the store is empty"
            raise NotFound(f"{error.message}; stored: {known}", reason=error.reason) from None


def bundled() -> Path:
    """The folder of vectors that ships with the project (wheel or checkout)."""
    packaged = Path(__file__).parent / "bundled"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "vectors"
