"""Receiving uploads: a card, and a tensor file in pieces across interruptions."""

import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace

import steer.v1 as pb
from steer import wire
from steer.errors import InvalidRequest, Violations
from steer.formats.refusal import refuse
from steer.server.named import named
from steer.server.threads import settled
from steer.store import Card, CardError, Store, Upload, Version
from steer.store.address import check_name

_SHA256 = re.compile(r"[0-9a-f]{64}")

Messages = AsyncIterator[pb.UploadVectorRequest]


async def receive(store: Store, most: int, messages: Messages) -> pb.UploadVectorResponse:
    """Take what there is of an upload, and store it when it is whole. ``most``: bytes of a file.

    What has arrived stays however the call ends, unless it turns out to be wrong.
    """
    first = await anext(messages, pb.UploadVectorRequest())
    # The call may be cancelled while an upload is being opened; it is closed all the same.
    with ExitStack() as held:
        match first.WhichOneof("message"):
            case "begin":
                begun = await settled(_begin, store, most, first.begin, held)
            case "resume":
                begun = await named("resume", _resume, store, first.resume, held)
            case _:
                refuse("message", "REQUIRED", "the first message has to be begin or resume")
        if isinstance(begun, Version):
            return await settled(_stored, store, begun, first.begin.size)
        await _pieces(begun, messages)
        size = begun.offset
        if size < begun.size:
            return pb.UploadVectorResponse(upload_id=begun.id, offset=size)
        version = await named("sha256", begun.commit, begun.card.sha256)
    return await settled(_stored, store, version, size)


def _resume(store: Store, upload_id: str, held: ExitStack) -> Upload | Version:
    return held.enter_context(store.resume(upload_id))


async def _pieces(upload: Upload, messages: Messages) -> None:
    async for message in messages:
        if message.WhichOneof("message") != "piece":
            refuse("message", "REQUIRED", "after the first message only pieces may come")
        await named("piece.offset", upload.write, message.piece.data, message.piece.offset)


def _begin(store: Store, most: int, begin: pb.UploadBegin, held: ExitStack) -> Upload | Version:
    """A new upload, which ``held`` closes; or the version that is there already, if it is just
    this."""
    found = Violations()
    try:
        check_name(begin.name)
    except InvalidRequest as error:
        found.add("name", error.reason, error.message)
    if not 1 <= begin.size <= most:
        message = f"is {begin.size}; this server takes 1 to {most} bytes"
        found.add("size", "OUT_OF_RANGE", message)
    sha256 = begin.sha256.removeprefix("sha256:").lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        found.add("sha256", "MALFORMED", "is not 64 hex digits")
    card = _card(begin.card_json, found)
    found.raise_if_any()
    assert card is not None
    known = store.known(begin.name, card, sha256) if sha256 else None
    if known is not None:
        return known
    return held.enter_context(store.upload(begin.name, replace(card, sha256=sha256), begin.size))


def _card(text: str, found: Violations) -> Card | None:
    try:
        return Card.from_json(text)
    except CardError as error:
        found.add("card_json", "BAD_CARD", str(error))
        return None


def _stored(store: Store, version: Version, size: int) -> pb.UploadVectorResponse:
    info = store.info(f"{version.name}@{version.number}")
    vector = wire.build_vector(info, with_card=False)
    return pb.UploadVectorResponse(offset=size, vector=vector)
