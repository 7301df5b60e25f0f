"""Receiving files of other programs, and storing what is in them.

Names of files are never opened as paths: what arrives lies under numbers in a folder of its own.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import BinaryIO

import steer.v1 as pb
from steer import wire
from steer.errors import FailedPrecondition, Violations
from steer.folder import MOST_FILES
from steer.formats import Options, Source, Understood, read
from steer.formats.refusal import refuse
from steer.server.core import Core
from steer.server.named import named
from steer.server.threads import settled
from steer.store import Card, Store
from steer.store.address import check_name
from steer.store.writable import writing
from steer.types import ModelInfo

Messages = AsyncIterator[pb.ImportVectorRequest]


async def receive(
    store: Store, ready: Callable[[], Core], most: int, messages: Messages
) -> pb.ImportVectorResponse:
    """Take files, say what is in them, and store it unless it is a dry run. ``most``: bytes of all
    of them together."""
    first = await anext(messages, pb.ImportVectorRequest())
    if first.WhichOneof("message") != "begin":
        refuse("message", "REQUIRED", "the first message has to be begin")
    begin = first.begin
    if begin.name or not begin.dry_run:
        await named("name", check_name, begin.name)
    options = wire.parse_import_options(begin.options)
    model = ready().model if begin.for_served_model else None
    with (
        writing("the files can not be received", gettempdir()),
        TemporaryDirectory(prefix="steer-import-") as folder,
        Inbox(Path(folder), most) as inbox,
    ):
        async for message in messages:
            await settled(inbox.take, message)
        return await settled(_stored, store, begin, options, model, inbox.files())


class Inbox:
    """Files on their way. ``most``: bytes of all of them together."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._paths: dict[str, Path] = {}
        self._file: BinaryIO | None = None
        self._left = 0

    def take(self, message: pb.ImportVectorRequest) -> None:
        """A file's header, or its next piece. Raises InvalidRequest for what may not come now."""
        match message.WhichOneof("message"):
            case "file":
                self._open(message.file)
            case "piece":
                self._write(message.piece)
            case _:
                refuse("message", "REQUIRED", "after the first message, files and pieces may come")

    def files(self) -> dict[str, Path]:
        """Where the content of each file is, by its path in the set; all of it has arrived."""
        self._end()
        return self._paths

    def _open(self, header: pb.FileHeader) -> None:
        self._end()
        if len(self._paths) == MOST_FILES:
            refuse("file", "TOO_MANY", f"is more than {MOST_FILES} files")
        if header.path in self._paths:
            refuse("file.path", "DUPLICATE", f"is {header.path!r} a second time")
        if header.size > self._most:
            refuse("file.size", "TOO_LARGE", f"is {header.size}; {self._most} bytes are left")
        self._most -= header.size
        self._left = header.size
        self._paths[header.path] = path = self._folder / str(len(self._paths))
        self._file = open(path, "xb")

    def _write(self, piece: pb.Piece) -> None:
        if self._file is None:
            refuse("message", "REQUIRED", "a file has to come before its pieces")
        if piece.offset != self._file.tell():
            message = f"is {piece.offset}, the next byte is {self._file.tell()}"
            refuse("piece.offset", "WRONG_OFFSET", message)
        if len(piece.data) > self._left:
            refuse("piece.data", "TOO_LONG", f"has more than the {self._left} bytes that are left")
        self._file.write(piece.data)
        self._left -= len(piece.data)

    def _end(self) -> None:
        if self._left:
            path = list(self._paths)[-1]
            refuse("piece", "INCOMPLETE", f"{self._left} bytes of {path!r} have not arrived")
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> "Inbox":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _stored(
    store: Store,
    begin: pb.ImportBegin,
    options: Options,
    model: ModelInfo | None,
    files: dict[str, Path],
) -> pb.ImportVectorResponse:
    understood = read(Source.of_files(files, begin.label), options)
    card = _card(understood, begin, model)
    account = replace(understood.account, model=card.model)
    said = wire.build_account(account)
    if begin.dry_run:
        return pb.ImportVectorResponse(account=said)
    version = understood.save(store, begin.name, card)
    info = store.info(f"{version.name}@{version.number}")
    return pb.ImportVectorResponse(account=said, vector=wire.build_vector(info, with_card=True))


def _card(understood: Understood, begin: pb.ImportBegin, model: ModelInfo | None) -> Card:
    """The card with what whoever imports it knows better. Raises FailedPrecondition when it does
    not fit the model it is said to be for. A card that names a model's weights knows best."""
    card = understood.item.card
    if model is not None and not card.fingerprint:
        _check_fits(card, model)
        card = replace(card, model=model.id, revision=model.revision, fingerprint=model.fingerprint)
    description = begin.description or card.description
    return replace(card, description=description, licence=begin.licence or card.licence)


def _check_fits(card: Card, model: ModelInfo) -> None:
    found = Violations()
    if card.d_model != model.d_model:
        message = f"the files have width {card.d_model}, {model.id} has {model.d_model}"
        found.add("card.d_model", "WIDTH_MISMATCH", message, FailedPrecondition)
    beyond = [str(site) for site in card.sites if site.layer >= model.layers]
    if beyond:
        message = f"the files have {', '.join(beyond[:10])}, {model.id} has {model.layers} layers"
        found.add("card.sites", "LAYER_OUT_OF_RANGE", message, FailedPrecondition)
    found.raise_if_any()
