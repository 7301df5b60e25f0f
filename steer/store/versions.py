"""Versions of a name: which files they are, and how one is found and read.

The first version's card is ``card.json``, the n-th's ``@n.json``, all in the folder of the name.
The tensors of a card are ``<its sha256>.safetensors`` beside it; those of the first may be called
``vector.safetensors``. Files never change once they are there. ``@n.gone`` says that version n was
deleted, so that its number is not given again. Where something still refers to a deleted version
its files stay (it is *retired*), and it is found by its hash alone.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from typing import Any

from steer.errors import FailedPrecondition, InvalidRequest, NotFound, SteerError
from steer.store import tensors
from steer.store.address import Address
from steer.store.bounded import Bounded
from steer.store.card import Card, CardError
from steer.store.checks import Tensors
from steer.store.files import Entry, Files
from steer.store.kinds import KINDS, Item
from steer.store.summary import to_row
from steer.store.writable import reading

SIMPLE_TENSORS = "vector.safetensors"
TENSOR_FILE = re.compile(r"[0-9a-f]{64}\.safetensors")
_CARD = re.compile(r"card\.json|@(?P<number>[1-9][0-9]{0,8})\.json")
_GONE = re.compile(r"@(?P<number>[1-9][0-9]{0,8})\.gone")
_KEPT_CARDS = 20_000


def card_file(number: int) -> str:
    """Name of the card of version ``number`` in its folder."""
    return "card.json" if number == 1 else f"@{number}.json"


def gone_file(number: int) -> str:
    """Name of the mark that version ``number`` was deleted."""
    return f"@{number}.gone"


def tensor_file(sha256: str) -> str:
    """Name of a tensor file in the folder of the name."""
    return f"{sha256}.safetensors"


def digest(card: bytes) -> str:
    """The hash of a version, from the bytes of its card."""
    return f"sha256:{hashlib.sha256(card).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version: its card, and through the card's sha256 its tensors.

    ``digest``: ``sha256:`` and the hash of the bytes of the card, so of everything.
    ``tensors``: the file, in the folder of the name. ``retired``: deleted, but still referred to.
    """

    name: str
    number: int
    digest: str
    card: Card
    tensors: str
    retired: bool

    @property
    def address(self) -> str:
        """``name@sha256:…``, which finds this version for ever."""
        return f"{self.name}@{self.digest}"


@dataclass(frozen=True)
class Folder:
    """The folder of a name, read from its listing alone."""

    files: Mapping[str, Entry]

    @cached_property
    def cards(self) -> tuple[int, ...]:
        """Numbers that have a card, ascending; retired ones too."""
        return self._numbers(_CARD, card_file)

    @cached_property
    def gone(self) -> frozenset[int]:
        """Numbers that were deleted."""
        return frozenset(self._numbers(_GONE, gone_file))

    @cached_property
    def live(self) -> tuple[int, ...]:
        """Numbers a name or ``name@number`` can mean, ascending."""
        return tuple(number for number in self.cards if number not in self.gone)

    @property
    def next(self) -> int:
        """The number of the next version."""
        return max((*self.cards, *self.gone), default=0) + 1

    def _numbers(self, pattern: re.Pattern[str], file: Callable[[int], str]) -> tuple[int, ...]:
        matches = (pattern.fullmatch(name) for name in self.files)
        found = {int(match["number"] or 1) for match in matches if match}
        # An `@1.json` matches, but is not how the first card is called.
        return tuple(sorted(number for number in found if file(number) in self.files))


class Versions:
    """Finds and reads versions; keeps the cards it has read.

    ``watchers`` are told the name of which this process stored or deleted a version.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self.watchers: list[Callable[[str], None]] = []
        self._cards: Bounded[tuple[str, int], tuple[object, Version]] = Bounded(_KEPT_CARDS)

    def changed(self, name: str) -> None:
        """Tell the watchers."""
        for watcher in self.watchers:
            watcher(name)

    def folder(self, name: str) -> Folder:
        """The folder of a name; without files when there is none."""
        with reading(self.files.place):
            return Folder(self.files.entries(name))

    def resolve(self, address: Address) -> Version:
        """The version an address means: without a number or hash the newest.

        A hash is that of a version, or else (as receipts have it) of its content; of several
        versions with that content the newest.

        Raises:
            NotFound: there is none; says what there is.
            InvalidRequest: several versions begin with these digits.
            FailedPrecondition: its card can not be read.
        """
        folder = self.folder(address.name)
        if address.hex is not None:
            return self._by_hash(address, folder)
        number = address.number or (folder.live[-1] if folder.live else 0)
        if number not in folder.live:
            raise NotFound(_missing(address, folder), reason="VECTOR_NOT_FOUND")
        return self.version(address.name, number, folder)

    def _by_hash(self, address: Address, folder: Folder) -> Version:
        wanted = f"sha256:{address.hex}"
        # Equal hashes are equal things: of those one that was not deleted, and then the newest.
        found = sorted(self.readable(address.name, folder), key=lambda v: not v.retired)
        matches = {v.digest: v for v in found if v.digest.startswith(wanted)} or {
            content: v for v in found if (content := self._content(v)).startswith(wanted)
        }
        if len(matches) > 1:
            message = f"{wanted} begins {len(matches)} hashes of {address.name!r}; give more digits"
            raise InvalidRequest(message, reason="AMBIGUOUS_VERSION")
        if not matches:
            raise NotFound(_missing(address, folder), reason="VECTOR_NOT_FOUND")
        return matches.popitem()[1]

    def _content(self, version: Version) -> str:
        """The hash of its content; empty when that is damaged."""
        with suppress(SteerError):
            return self.full_card(version).content_hash
        return ""

    def readable(self, name: str, folder: Folder) -> Iterable[Version]:
        """All versions whose cards can be read, retired ones too, by number."""
        for number in folder.cards:
            try:
                yield self.version(name, number, folder)
            except SteerError:
                continue

    def version(self, name: str, number: int, folder: Folder) -> Version:
        """Version ``number``, whose card is in the folder.

        Raises FailedPrecondition when it is damaged, NotFound when it was deleted just now.
        """
        file = card_file(number)
        entry = folder.files[file]
        known = self._cards.get((name, number))
        if known is None or known[0] != (entry.stamp, number in folder.gone):
            known = ((entry.stamp, number in folder.gone), self._read(name, number, folder))
            self._cards.put((name, number), known)
        return known[1]

    def _read(self, name: str, number: int, folder: Folder) -> Version:
        file = card_file(number)
        try:
            if not folder.files[file].regular:
                raise CardError(f"{file} is not a regular file")
            data = self.files.read(f"{name}/{file}")
            card = Card.from_json(data.decode())
        except FileNotFoundError as error:
            raise _just_deleted(name, number) from error
        except (OSError, ValueError) as error:
            message = f"vector '{name}@{number}' is damaged: {error}"
            raise FailedPrecondition(message, reason="VECTOR_DAMAGED") from error
        own = tensor_file(card.sha256)
        simple = number == 1 and own not in folder.files
        return Version(
            name=name,
            number=number,
            digest=digest(data),
            card=card,
            tensors=SIMPLE_TENSORS if simple else own,
            retired=number in folder.gone,
        )

    def open(self, version: Version) -> BufferedReader:
        """The tensor file of a version. Raises as ``version``."""
        try:
            return self.files.open(f"{version.name}/{version.tensors}")
        except FileNotFoundError as error:
            if version.number not in self.folder(version.name).cards:
                raise _just_deleted(version.name, version.number) from error
            raise _damaged(version, f"{version.tensors} is missing") from error
        except OSError as error:
            raise _damaged(version, f"{version.tensors}: {error.strerror}") from error

    def load(self, version: Version) -> Item:
        """Read and verify a version. Raises as ``version``, saying what is damaged."""
        with self.open(version) as file:
            try:
                if tensors.digest(file) != version.card.sha256:
                    message = f"sha256: {version.tensors} is not the file this card describes"
                    raise CardError(message)
                item = read_item(version.name, version.card, tensors.read(file))
                _check_filled_in(version.card, item.content_hash)
                return item
            except (OSError, ValueError, InvalidRequest) as error:
                raise _damaged(version, error) from error

    def full_card(self, version: Version) -> Card:
        """Its card with what a store fills in; reads its tensors when that is not there."""
        card = version.card
        if not card.content_hash or card.norms.keys() != set(card.sites):
            card = self.load(version).full_card()
        return card

    def row(self, version: Version) -> dict[str, Any]:
        """What listings show of it."""
        return to_row(version.name, self.full_card(version), version.number, version.digest)

    def text(self, version: Version) -> str:
        """Its card as it was stored, to the byte. Raises as ``version``."""
        try:
            return self.files.read(f"{version.name}/{card_file(version.number)}").decode()
        except FileNotFoundError as error:
            raise _just_deleted(version.name, version.number) from error


def read_item(name: str, card: Card, content: Tensors) -> Item:
    """An item of the card's kind. Raises InvalidRequest with everything that does not fit."""
    if card.kind not in KINDS:
        known = ", ".join(KINDS)
        raise InvalidRequest(f"kind: {card.kind!r} is none of {known}", reason="UNKNOWN_KIND")
    return KINDS[card.kind].read(name, card, content)


def _check_filled_in(card: Card, content_hash: str) -> None:
    if card.content_hash not in ("", content_hash):
        raise CardError(f"content_hash: the tensors have {content_hash}")
    if card.norms and card.norms.keys() != set(card.sites):
        raise CardError(f"norms: are of {', '.join(map(str, card.norms))}, want the card's sites")


def _damaged(version: Version, problem: object) -> FailedPrecondition:
    message = f"vector '{version.name}@{version.number}' is damaged: {problem}"
    return FailedPrecondition(message, reason="VECTOR_DAMAGED")


def _just_deleted(name: str, number: int) -> NotFound:
    return NotFound(f"version {number} of {name!r} was deleted", reason="VECTOR_NOT_FOUND")


def _missing(address: Address, folder: Folder) -> str:
    if not folder.live:
        return f"no vector named {address.name!r}"
    if address.number in folder.gone:
        return f"version {address.number} of {address.name!r} was deleted"
    asked = f"sha256:{address.hex}" if address.hex else address.number
    has = ", ".join(map(str, folder.live[-20:]))
    return f"no version {asked} of {address.name!r}; it has {has}"
