"""Uploads: tensor files on their way into the store, in pieces and across interruptions."""

import fcntl
import json
import os
import re
import secrets
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from steer.errors import FailedPrecondition, InvalidRequest, NotFound, SteerError
from steer.store import tensors
from steer.store.address import check_name
from steer.store.card import Card
from steer.store.files import Files
from steer.store.kinds import KINDS
from steer.store.versions import Version, Versions, card_file, digest, read_item, tensor_file
from steer.store.writable import writing

LARGEST_CARD = 1 << 20
"""Characters."""
_ID = re.compile(r"[0-9a-f]{32}")


class Upload:
    """One tensor file of ``size`` bytes for ``card`` under ``name``, and what has arrived of it.

    Pieces are appended at ``offset``. What has arrived stays when the upload is closed or its
    server dies, and ``Store.resume(id)`` goes on with it, until ``Store.sweep`` finds it too old.
    One process at a time has it open. On a store that is not a local folder it waits on the server
    that took it, and goes on there alone.
    """

    def __init__(self, versions: Versions, id: str, name: str, card: Card, size: int) -> None:
        self.id, self.name, self.card, self.size = id, name, card, size
        self._versions = versions
        self._path = _data(versions.files, id)
        # Not truncated, and never created: it may hold a part already, or have been finished.
        self._file = open(self._path, "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            message = f"upload {id} is open elsewhere"
            raise FailedPrecondition(message, reason="UPLOAD_IN_USE") from None
        self._file.seek(0, os.SEEK_END)

    @property
    def offset(self) -> int:
        """How many bytes have arrived: where the next piece begins."""
        return self._file.tell()

    def write(self, piece: bytes | memoryview, offset: int | None = None) -> int:
        """Append a piece, which begins at ``offset`` if that is said; returns the new offset.

        Raises InvalidRequest when it begins elsewhere than at ``self.offset`` or is too long.
        """
        if offset not in (None, self.offset):
            message = f"the piece begins at {offset}, the next byte is {self.offset}"
            raise InvalidRequest(message, reason="WRONG_OFFSET")
        if self.offset + len(piece) > self.size:
            message = f"{self.offset + len(piece)} bytes arrived, {self.size} were announced"
            raise InvalidRequest(message, reason="TOO_LONG")
        with self._writing():
            self._file.write(piece)
        return self.offset

    def commit(self, sha256: str = "") -> Version:
        """Verify what has arrived and make it the newest version. Durable when it returns.

        ``sha256``: hex digest the sender computed; empty if it did not. The newest version as it is
        comes back when it has this very card and content: sending again changes nothing.

        Raises InvalidRequest with everything that does not fit; the upload is then gone. When not
        everything has arrived it stays.
        """
        if self.offset != self.size:
            message = f"{self.offset} of {self.size} bytes have arrived"
            raise InvalidRequest(message, reason="INCOMPLETE")
        try:
            with self._writing():
                self._file.flush()
                version = self._place(self._checked(sha256.removeprefix("sha256:").lower()))
        except InvalidRequest:
            self.discard()
            raise
        self.discard()
        return version

    def _writing(self) -> AbstractContextManager[None]:
        return writing(f"{self.name!r} can not be stored", self._versions.files.place)

    def _checked(self, announced: str) -> Card:
        found = tensors.digest(self._file)
        if announced not in ("", found):
            message = f"sha256: {found} arrived, {announced} was announced"
            raise InvalidRequest(message, reason="CHECKSUM")
        card = replace(self.card, sha256=found, norms={}, content_hash="")
        try:
            return read_item(self.name, card, tensors.read(self._file)).full_card()
        except tensors.TensorsError as error:
            raise InvalidRequest(str(error), reason="BAD_TENSORS") from error

    def _place(self, card: Card) -> Version:
        text = card.to_json().encode()
        with self._versions.files.locked(exclusive=False):
            version = self._same(text)
            if version is None:
                self._take(card.sha256)
                version = self._numbered(card, text)
        self._versions.changed(self.name)
        return version

    def _take(self, sha256: str) -> None:
        try:
            self._versions.files.take(self._path, f"{self.name}/{tensor_file(sha256)}")
        except NotADirectoryError as error:
            message = f"not a vector name: {self.name!r} (a file or link in the store is called so)"
            raise InvalidRequest(message, reason="BAD_NAME") from error

    def _numbered(self, card: Card, text: bytes) -> Version:
        # Others may be faster; each time one is, that is another version, so this ends.
        while (version := self._same(text)) is None:
            number = self._versions.folder(self.name).next
            with suppress(FileExistsError):
                self._versions.files.create(f"{self.name}/{card_file(number)}", text)
                file = tensor_file(card.sha256)
                return Version(self.name, number, digest(text), card, file, retired=False)
        return version

    def _same(self, text: bytes) -> Version | None:
        """The newest version if it has this very card."""
        folder = self._versions.folder(self.name)
        if not folder.live:
            return None
        with suppress(SteerError):
            newest = self._versions.version(self.name, folder.live[-1], folder)
            return newest if newest.digest == digest(text) else None
        return None

    def close(self) -> None:
        """Leave off; ``Store.resume`` goes on."""
        # What a full disk does not take is asked for again: ``offset`` is that of the file.
        with suppress(OSError):
            self._file.close()

    def discard(self) -> None:
        """Give up: what has arrived is removed."""
        for path in (_about(self._versions.files, self.id), self._path):
            path.unlink(missing_ok=True)
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Uploads:
    """Begins uploads and finds them again."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._files = versions.files

    def begin(self, name: str, card: Card, size: int) -> Upload:
        """A new upload of ``size`` bytes. Raises InvalidRequest for a bad name, card or size."""
        check_name(name)
        if size < 1:
            raise InvalidRequest(f"size: is {size}, want at least 1", reason="OUT_OF_RANGE")
        if card.kind not in KINDS:
            message = f"kind: {card.kind!r} is none of {', '.join(KINDS)}"
            raise InvalidRequest(message, reason="UNKNOWN_KIND")
        about = {"name": name, "card": _text(card), "size": size}
        id = secrets.token_hex(16)
        with writing(f"{name!r} can not be stored", self._files.place):
            self._files.staging.mkdir(parents=True, exist_ok=True)
            _data(self._files, id).touch(mode=0o644, exist_ok=False)
            _about(self._files, id).write_text(json.dumps(about))
        return Upload(self._versions, id, name, card, size)

    def known(self, name: str, card: Card, sha256: str) -> Version | None:
        """The newest version of a name if it has this card, without what is filled in, and file."""
        check_name(name)
        folder = self._versions.folder(name)
        if not folder.live:
            return None
        with suppress(SteerError):
            newest = self._versions.version(name, folder.live[-1], folder)
            if _bare(newest.card) == replace(_bare(card), sha256=sha256):
                return newest
        return None

    def resume(self, id: str) -> Upload:
        """An upload that was left off.

        Raises NotFound when there is none (it was finished, discarded, or too old), and
        FailedPrecondition when it is open elsewhere.
        """
        try:
            if not _ID.fullmatch(id):
                raise FileNotFoundError(id)
            about = json.loads(_about(self._files, id).read_text())
            card = Card.from_json(about["card"])
            return Upload(self._versions, id, about["name"], card, about["size"])
        except (FileNotFoundError, ValueError) as error:
            # A server that dies at the very beginning leaves a description that can not be read.
            raise NotFound(f"no upload {id!r} is under way", reason="UPLOAD_NOT_FOUND") from error


def _bare(card: Card) -> Card:
    return replace(card, norms={}, content_hash="")


def _text(card: Card) -> str:
    """The card as JSON. Raises InvalidRequest when it could not be read back."""
    try:
        text = card.to_json()
        Card.from_json(text)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"card: {error}", reason="BAD_CARD") from error
    if len(text) > LARGEST_CARD:
        message = f"card: has {len(text)} characters, want at most {LARGEST_CARD}"
        raise InvalidRequest(message, reason="BAD_CARD")
    return text


def _data(files: Files, id: str) -> Path:
    return files.staging / f"{id}.part"


def _about(files: Files, id: str) -> Path:
    return files.staging / f"{id}.json"
