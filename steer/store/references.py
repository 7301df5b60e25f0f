"""Who refers to a version: while someone does, its files stay, whatever is deleted."""

import re
from contextlib import suppress

from steer.errors import InvalidRequest, NotFound
from steer.store.address import Address
from steer.store.versions import Version, Versions

FOLDER = ".refs"
_BY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class References:
    """One empty file ``.refs/<name>@<hex of the digest>/<by>`` for each, with ``~`` for ``/``."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._files = versions.files

    def add(self, address: Address, by: str) -> Version:
        """Refer to a version that was not deleted.

        Safe against a removal at the same time: that marks the version as gone before it looks for
        references, and this looks for the mark after it has left its reference.

        Raises as ``Versions.resolve``, and InvalidRequest for a bad ``by``.
        """
        if not _BY.fullmatch(by):
            raise InvalidRequest(f"by: is {by!r}, want {_BY.pattern}", reason="BAD_NAME")
        version = self._versions.resolve(address)
        path = f"{_folder(version.address)}/{by}"
        known = by in self.by(version.address)
        with suppress(FileExistsError):
            self._files.create(path, b"")
        if not known and version.number not in self._versions.folder(version.name).live:
            self._files.remove(path)
            message = f"{version.address} was deleted"
            raise NotFound(message, reason="VECTOR_NOT_FOUND")
        return version

    def remove(self, version: Version, by: str) -> None:
        """Refer no longer; nothing happens where there was no such reference."""
        if _BY.fullmatch(by):
            self._files.remove(f"{_folder(version.address)}/{by}")

    def by(self, address: str) -> tuple[str, ...]:
        """Who refers to the version with this address, ``name@sha256:…`` in full."""
        return tuple(sorted(self._files.entries(_folder(address))))

    def addresses(self) -> tuple[str, ...]:
        """Versions something refers to."""
        found = (_address(folder) for folder in self._files.subfolders(FOLDER))
        return tuple(sorted(address for address in found if self.by(address)))


def _folder(address: str) -> str:
    return f"{FOLDER}/{address.replace('/', '~').replace('@sha256:', '@')}"


def _address(folder: str) -> str:
    return folder.replace("~", "/").replace("@", "@sha256:")
