"""Sending what is stored: as it is, or as files of another program."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from io import BufferedReader

import steer.v1 as pb
from steer import wire
from steer.formats.refusal import refuse
from steer.formats.writers import Output, Written, write
from steer.server.files import PIECE, pieces
from steer.server.named import named
from steer.server.threads import settled
from steer.store import Store, Version


async def download(
    store: Store, request: pb.DownloadVectorRequest
) -> AsyncIterator[pb.DownloadVectorResponse]:
    """The card, and the tensor file from an offset on."""
    # The call may be cancelled while the file is being opened; it is closed all the same.
    with ExitStack() as held:
        version, file = await named("name", _open, store, request.name, held)
        yield pb.DownloadVectorResponse(
            header=await settled(_header, store, version, file, request.offset)
        )
        rest = pieces(iter(lambda: file.read(PIECE), b""), request.offset)
        while (piece := await settled(next, rest, None)) is not None:
            yield pb.DownloadVectorResponse(piece=piece)


def _open(store: Store, name: str, held: ExitStack) -> tuple[Version, BufferedReader]:
    version, file = store.open(name)
    return version, held.enter_context(file)


def _header(store: Store, version: Version, file: BufferedReader, offset: int) -> pb.DownloadHeader:
    """What is sent; the file then stands at the offset."""
    size = file.seek(0, 2)
    if offset > size:
        refuse("offset", "OUT_OF_RANGE", f"is {offset}; the file has {size} bytes")
    file.seek(offset)
    address = f"{version.name}@{version.digest}"
    return pb.DownloadHeader(
        vector=wire.build_vector(store.info(address), with_card=False),
        card_json=store.card_text(address),
        size=size,
        sha256=version.card.sha256,
    )


async def export(
    store: Store, request: pb.ExportVectorRequest
) -> AsyncIterator[pb.ExportVectorResponse]:
    """The files of a vector in a format of others."""
    info = await named("name", store.info, request.name)
    item = await named("name", store.get, info.address)
    written = await named("format", write, item, request.format)
    vector = wire.build_vector(info, with_card=False)
    yield pb.ExportVectorResponse(header=pb.ExportHeader(vector=vector, notes=written.notes))
    messages = _files(written)
    while (message := await settled(next, messages, None)) is not None:
        yield message


def _files(written: Written) -> Iterator[pb.ExportVectorResponse]:
    for path, output in written.files.items():
        yield pb.ExportVectorResponse(file=pb.FileHeader(path=path, size=output.size))
        for piece in _pieces(output):
            yield pb.ExportVectorResponse(piece=piece)


def _pieces(output: Output) -> Iterator[pb.Piece]:
    return pieces(output.pieces())
