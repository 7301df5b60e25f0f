"""A store over another that is only read: one's own vectors over those that are shipped."""

import os
from collections.abc import Mapping
from dataclasses import replace
from io import BufferedReader
from pathlib import Path

from steer.errors import FailedPrecondition, NotFound
from steer.store.address import parse_address
from steer.store.kinds import Item
from steer.store.store import Store, bundled
from steer.store.versions import Version
from steer.types import Removed, StoreReport, VectorInfo


class Overlay(Store):
    """A store whose reads fall through to ``below`` where it has nothing of a name.

    All that is written goes into the store itself. A name it has hides the same name below: by name
    and number only its own versions are found. A hash finds a version in either, so that what a run
    recorded is still found when somebody takes the name.
    """

    def __init__(self, root: str | Path, below: Store) -> None:
        super().__init__(root)
        self._below = below

    def names(self) -> list[str]:
        """Names of both, sorted."""
        return sorted({*super().names(), *self._below.names()})

    def page(
        self,
        after: str = "",
        limit: int = 100,
        *,
        model: str = "",
        kind: str = "",
        method: str = "",
    ) -> list[VectorInfo]:
        """As ``Store.page``, of both."""
        wanted: Mapping[str, str] = {"model": model, "kind": kind, "method": method}
        hidden = {*super().names()}.intersection(self._below.names())
        below = self._below.page(after, limit + len(hidden), **wanted)
        found = [
            *super().page(after, limit, **wanted),
            *(replace(info, bundled=True) for info in below if info.name not in hidden),
        ]
        return sorted(found, key=lambda info: info.name)[:limit]

    def resolve(self, address: str) -> Version:
        """As ``Store.resolve``."""
        return self._below.resolve(address) if self.is_below(address) else super().resolve(address)

    def versions(self, name: str) -> list[Version]:
        """As ``Store.versions``."""
        return self._below.versions(name) if self.is_below(name) else super().versions(name)

    def get(self, address: str, *, keep: bool = True) -> Item:
        """As ``Store.get``."""
        if self.is_below(address):
            return self._below.get(address, keep=keep)
        return super().get(address, keep=keep)

    def info(self, address: str) -> VectorInfo:
        """As ``Store.info``."""
        if self.is_below(address):
            return replace(self._below.info(address), bundled=True)
        return super().info(address)

    def card_text(self, address: str) -> str:
        """As ``Store.card_text``."""
        if self.is_below(address):
            return self._below.card_text(address)
        return super().card_text(address)

    def open(self, address: str) -> tuple[Version, BufferedReader]:
        """As ``Store.open``."""
        return self._below.open(address) if self.is_below(address) else super().open(address)

    def delete(self, address: str) -> Removed:
        """As ``Store.delete``. Raises FailedPrecondition for what is below."""
        if self.is_below(address):
            message = (
                f"{address!r} is shipped with the server and can not be deleted; a vector stored "
                "under its name hides it, --no-bundled hides all that are shipped"
            )
            raise FailedPrecondition(message, reason="BUNDLED")
        return super().delete(address)

    def refer(self, address: str, by: str) -> Version:
        """As ``Store.refer``. What is below stays in any case."""
        if self.is_below(address):
            return self._below.resolve(address)
        return super().refer(address, by)

    def release(self, address: str, by: str) -> None:
        """As ``Store.release``."""
        if not self.is_below(address):
            super().release(address, by)

    def referrers(self, address: str) -> tuple[str, ...]:
        """As ``Store.referrers``."""
        return () if self.is_below(address) else super().referrers(address)

    def verify(self) -> StoreReport:
        """As ``Store.verify``, of both."""
        own, below = super().verify(), self._below.verify()
        return StoreReport(
            own.versions + below.versions,
            own.damage + below.damage,
            own.leftovers + below.leftovers,
        )

    def is_below(self, address: str) -> bool:
        """Whether what an address means is in the store below. Raises InvalidRequest for no
        address."""
        parsed = parse_address(address)
        if not self._below.has(parsed.name):
            return False
        if parsed.hex is None:
            return not self.has(parsed.name)
        try:
            super().resolve(address)
        except NotFound:
            return True
        return False


def user_folder() -> Path:
    """Where a user's vectors are kept: ``steer/store`` in the folder for data (XDG)."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "steer" / "store"


def open_store(root: str | Path | None, *, with_bundled: bool = True) -> Store:
    """The store at a folder or URL (None: the user's folder), over the bundled one or alone."""
    place = root or user_folder()
    return Overlay(place, Store(bundled())) if with_bundled else Store(place)
