"""The calls of VectorService as data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import steer.v1 as pb
from steer import wire
from steer.client.calls import Call, Sending
from steer.client.checked import build
from steer.client.local_files import LocalFile
from steer.client.parcels import Parcel
from steer.foreign import Account, Options
from steer.types import Removed, StoreReport, VectorInfo

VECTORS = "/steer.v1.VectorService/"

Page = tuple[tuple[VectorInfo, ...], str]


@dataclass(frozen=True, slots=True)
class UploadState:
    """How far an upload is; ``vector`` once it is stored."""

    upload_id: str
    offset: int
    vector: VectorInfo | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What was understood of files, and what was stored; ``vector`` is None for a dry run."""

    account: Account
    vector: VectorInfo | None

    def __str__(self) -> str:
        return "\n".join(self.account.lines())


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and in ``notes`` what of the vector is not in it."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def page(token: str, model: str, kind: str, method: str) -> Call[Page]:
    """One page of the store, and the token of the next page."""
    request = build(pb.ListVectorsRequest, page_token=token, model=model, kind=kind, method=method)
    return Call(VECTORS + "ListVectors", request, pb.ListVectorsResponse, _read_page)


def get(name: str, nearest: int, tokens: int) -> Call[VectorInfo]:
    """One stored vector with its card and statistics."""
    request = build(pb.GetVectorRequest, name=name, nearest=nearest, tokens=tokens)
    return Call(VECTORS + "GetVector", request, pb.GetVectorResponse, _read_whole)


def versions(name: str) -> Call[tuple[VectorInfo, ...]]:
    """The versions of a name."""
    request = build(pb.ListVectorVersionsRequest, name=name)
    answer = pb.ListVectorVersionsResponse
    return Call(VECTORS + "ListVectorVersions", request, answer, _read_versions)


def delete(name: str) -> Call[Removed]:
    """A version or a name to delete."""
    request = build(pb.DeleteVectorRequest, name=name)
    return Call(VECTORS + "DeleteVector", request, pb.DeleteVectorResponse, wire.parse_removed)


def combine(name: str, expression: str, description: str) -> Call[VectorInfo]:
    """An expression to store."""
    request = build(
        pb.CombineVectorsRequest, name=name, expression=expression, description=description
    )
    return Call(VECTORS + "CombineVectors", request, pb.CombineVectorsResponse, _read_vector)


def verify() -> Call[StoreReport]:
    """Everything to be checked."""
    request, answer = pb.VerifyVectorsRequest(), pb.VerifyVectorsResponse
    return Call(VECTORS + "VerifyVectors", request, answer, wire.parse_store_report)


def begin_upload(name: str, parcel: Parcel) -> Sending[UploadState]:
    """An upload to begin; nothing of the file goes along."""
    begin = build(
        pb.UploadBegin,
        name=name,
        card_json=parcel.card_json,
        size=parcel.size,
        sha256=parcel.sha256,
    )
    return _upload(lambda: iter([pb.UploadVectorRequest(begin=begin)]))


def go_on(upload_id: str, parcel: Parcel, offset: int | None) -> Sending[UploadState]:
    """The rest of a file from an offset on; None asks what the offset is."""
    resume = build(pb.UploadVectorRequest, resume=upload_id)

    def requests() -> Iterator[pb.UploadVectorRequest]:
        yield resume
        if offset is not None:
            for piece in parcel.pieces(offset):
                yield pb.UploadVectorRequest(piece=pb.Piece(offset=piece.offset, data=piece.data))

    return _upload(requests)


def _upload(requests: Callable[[], Iterator[pb.UploadVectorRequest]]) -> Sending[UploadState]:
    kind, answer = pb.UploadVectorRequest, pb.UploadVectorResponse
    return Sending(VECTORS + "UploadVector", requests, kind, answer, _read_state)


def download(name: str, offset: int) -> Call[pb.DownloadVectorResponse]:
    """A card and a tensor file, from an offset on; messages are read as they come."""
    request = build(pb.DownloadVectorRequest, name=name, offset=offset)
    answer = pb.DownloadVectorResponse
    return Call(VECTORS + "DownloadVector", request, answer, lambda message: message)


def export(name: str, format: str) -> Call[pb.ExportVectorResponse]:
    """Files of another program; messages are read as they come."""
    request = build(pb.ExportVectorRequest, name=name, format=format)
    answer = pb.ExportVectorResponse
    return Call(VECTORS + "ExportVector", request, answer, lambda message: message)


def import_(files: Mapping[str, LocalFile], options: Options, **begin: Any) -> Sending[Imported]:
    """Files to be read; ``begin``: fields of ``ImportBegin``."""
    said = build(wire.build_import_options, options)
    first = build(pb.ImportBegin, options=said, **begin)

    def requests() -> Iterator[pb.ImportVectorRequest]:
        yield pb.ImportVectorRequest(begin=first)
        for path, file in files.items():
            yield pb.ImportVectorRequest(file=pb.FileHeader(path=path, size=file.size))
            for piece in file.pieces():
                data = pb.Piece(offset=piece.offset, data=piece.data)
                yield pb.ImportVectorRequest(piece=data)

    kind, answer = pb.ImportVectorRequest, pb.ImportVectorResponse
    return Sending(VECTORS + "ImportVector", requests, kind, answer, _read_imported)


def _read_page(message: pb.ListVectorsResponse) -> Page:
    return tuple(map(wire.parse_vector, message.vectors)), message.next_page_token


def _read_vector(message: pb.CombineVectorsResponse) -> VectorInfo:
    return wire.parse_vector(message.vector)


def _read_whole(message: pb.GetVectorResponse) -> VectorInfo:
    statistics = tuple(map(wire.parse_statistics, message.statistics))
    return replace(wire.parse_vector(message.vector), statistics=statistics)


def _read_versions(message: pb.ListVectorVersionsResponse) -> tuple[VectorInfo, ...]:
    return tuple(map(wire.parse_vector, message.versions))


def _read_state(message: pb.UploadVectorResponse) -> UploadState:
    return UploadState(message.upload_id, message.offset, _maybe_vector(message))


def _read_imported(message: pb.ImportVectorResponse) -> Imported:
    return Imported(wire.parse_account(message.account), _maybe_vector(message))


def _maybe_vector(message: pb.UploadVectorResponse | pb.ImportVectorResponse) -> VectorInfo | None:
    return wire.parse_vector(message.vector) if message.HasField("vector") else None
