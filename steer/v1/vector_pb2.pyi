from google.protobuf import struct_pb2 as _struct_pb2
from steer.v1 import intervention_pb2 as _intervention_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Vector(_message.Message):
    __slots__ = ("name", "content_hash", "kind", "description", "model", "fingerprint", "d_model", "sites", "norms", "method", "licence", "created", "card", "version", "digest", "bundled")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_HASH_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    D_MODEL_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    NORMS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    BUNDLED_FIELD_NUMBER: _ClassVar[int]
    name: str
    content_hash: str
    kind: str
    description: str
    model: str
    fingerprint: str
    d_model: int
    sites: _containers.RepeatedCompositeFieldContainer[_intervention_pb2.Site]
    norms: _containers.RepeatedScalarFieldContainer[float]
    method: str
    licence: str
    created: str
    card: _struct_pb2.Struct
    version: int
    digest: str
    bundled: bool
    def __init__(self, name: _Optional[str] = ..., content_hash: _Optional[str] = ..., kind: _Optional[str] = ..., description: _Optional[str] = ..., model: _Optional[str] = ..., fingerprint: _Optional[str] = ..., d_model: _Optional[int] = ..., sites: _Optional[_Iterable[_Union[_intervention_pb2.Site, _Mapping]]] = ..., norms: _Optional[_Iterable[float]] = ..., method: _Optional[str] = ..., licence: _Optional[str] = ..., created: _Optional[str] = ..., card: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., version: _Optional[int] = ..., digest: _Optional[str] = ..., bundled: _Optional[bool] = ...) -> None: ...

class ListVectorsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "model", "kind", "method")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    model: str
    kind: str
    method: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., model: _Optional[str] = ..., kind: _Optional[str] = ..., method: _Optional[str] = ...) -> None: ...

class ListVectorsResponse(_message.Message):
    __slots__ = ("vectors", "next_page_token")
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    vectors: _containers.RepeatedCompositeFieldContainer[Vector]
    next_page_token: str
    def __init__(self, vectors: _Optional[_Iterable[_Union[Vector, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetVectorRequest(_message.Message):
    __slots__ = ("name", "nearest", "tokens")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    name: str
    nearest: int
    tokens: int
    def __init__(self, name: _Optional[str] = ..., nearest: _Optional[int] = ..., tokens: _Optional[int] = ...) -> None: ...

class GetVectorResponse(_message.Message):
    __slots__ = ("vector", "statistics")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    vector: Vector
    statistics: _containers.RepeatedCompositeFieldContainer[SiteStatistics]
    def __init__(self, vector: _Optional[_Union[Vector, _Mapping]] = ..., statistics: _Optional[_Iterable[_Union[SiteStatistics, _Mapping]]] = ...) -> None: ...

class SiteStatistics(_message.Message):
    __slots__ = ("site", "norm", "relative_norm", "nearest", "top", "bottom")
    SITE_FIELD_NUMBER: _ClassVar[int]
    NORM_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_NORM_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    BOTTOM_FIELD_NUMBER: _ClassVar[int]
    site: _intervention_pb2.Site
    norm: float
    relative_norm: float
    nearest: _containers.RepeatedCompositeFieldContainer[Neighbour]
    top: _containers.RepeatedCompositeFieldContainer[LensToken]
    bottom: _containers.RepeatedCompositeFieldContainer[LensToken]
    def __init__(self, site: _Optional[_Union[_intervention_pb2.Site, _Mapping]] = ..., norm: _Optional[float] = ..., relative_norm: _Optional[float] = ..., nearest: _Optional[_Iterable[_Union[Neighbour, _Mapping]]] = ..., top: _Optional[_Iterable[_Union[LensToken, _Mapping]]] = ..., bottom: _Optional[_Iterable[_Union[LensToken, _Mapping]]] = ...) -> None: ...

class Neighbour(_message.Message):
    __slots__ = ("name", "cosine")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COSINE_FIELD_NUMBER: _ClassVar[int]
    name: str
    cosine: float
    def __init__(self, name: _Optional[str] = ..., cosine: _Optional[float] = ...) -> None: ...

class LensToken(_message.Message):
    __slots__ = ("token_id", "piece", "logit")
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    LOGIT_FIELD_NUMBER: _ClassVar[int]
    token_id: int
    piece: str
    logit: float
    def __init__(self, token_id: _Optional[int] = ..., piece: _Optional[str] = ..., logit: _Optional[float] = ...) -> None: ...

class ListVectorVersionsRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListVectorVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[Vector]
    def __init__(self, versions: _Optional[_Iterable[_Union[Vector, _Mapping]]] = ...) -> None: ...

class Piece(_message.Message):
    __slots__ = ("offset", "data")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    offset: int
    data: bytes
    def __init__(self, offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class UploadVectorRequest(_message.Message):
    __slots__ = ("begin", "resume", "piece")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    begin: UploadBegin
    resume: str
    piece: Piece
    def __init__(self, begin: _Optional[_Union[UploadBegin, _Mapping]] = ..., resume: _Optional[str] = ..., piece: _Optional[_Union[Piece, _Mapping]] = ...) -> None: ...

class UploadBegin(_message.Message):
    __slots__ = ("name", "card_json", "size", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CARD_JSON_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    card_json: str
    size: int
    sha256: str
    def __init__(self, name: _Optional[str] = ..., card_json: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class UploadVectorResponse(_message.Message):
    __slots__ = ("upload_id", "offset", "vector")
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    upload_id: str
    offset: int
    vector: Vector
    def __init__(self, upload_id: _Optional[str] = ..., offset: _Optional[int] = ..., vector: _Optional[_Union[Vector, _Mapping]] = ...) -> None: ...

class DownloadVectorRequest(_message.Message):
    __slots__ = ("name", "offset")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    name: str
    offset: int
    def __init__(self, name: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class DownloadVectorResponse(_message.Message):
    __slots__ = ("header", "piece")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    header: DownloadHeader
    piece: Piece
    def __init__(self, header: _Optional[_Union[DownloadHeader, _Mapping]] = ..., piece: _Optional[_Union[Piece, _Mapping]] = ...) -> None: ...

class DownloadHeader(_message.Message):
    __slots__ = ("vector", "card_json", "size", "sha256")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    CARD_JSON_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    vector: Vector
    card_json: str
    size: int
    sha256: str
    def __init__(self, vector: _Optional[_Union[Vector, _Mapping]] = ..., card_json: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class DeleteVectorRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteVectorResponse(_message.Message):
    __slots__ = ("removed", "kept")
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    removed: _containers.RepeatedScalarFieldContainer[str]
    kept: _containers.RepeatedCompositeFieldContainer[KeptVersion]
    def __init__(self, removed: _Optional[_Iterable[str]] = ..., kept: _Optional[_Iterable[_Union[KeptVersion, _Mapping]]] = ...) -> None: ...

class KeptVersion(_message.Message):
    __slots__ = ("address", "referred_by")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    REFERRED_BY_FIELD_NUMBER: _ClassVar[int]
    address: str
    referred_by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, address: _Optional[str] = ..., referred_by: _Optional[_Iterable[str]] = ...) -> None: ...

class ImportVectorRequest(_message.Message):
    __slots__ = ("begin", "file", "piece")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    begin: ImportBegin
    file: FileHeader
    piece: Piece
    def __init__(self, begin: _Optional[_Union[ImportBegin, _Mapping]] = ..., file: _Optional[_Union[FileHeader, _Mapping]] = ..., piece: _Optional[_Union[Piece, _Mapping]] = ...) -> None: ...

class ImportBegin(_message.Message):
    __slots__ = ("name", "dry_run", "label", "options", "for_served_model", "description", "licence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    FOR_SERVED_MODEL_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    dry_run: bool
    label: str
    options: ImportOptions
    for_served_model: bool
    description: str
    licence: str
    def __init__(self, name: _Optional[str] = ..., dry_run: _Optional[bool] = ..., label: _Optional[str] = ..., options: _Optional[_Union[ImportOptions, _Mapping]] = ..., for_served_model: _Optional[bool] = ..., description: _Optional[str] = ..., licence: _Optional[str] = ...) -> None: ...

class ImportOptions(_message.Message):
    __slots__ = ("format", "model", "layer", "point", "index_offset", "choice", "kind", "strength", "scale", "k")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    INDEX_OFFSET_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    format: str
    model: str
    layer: int
    point: _intervention_pb2.Point
    index_offset: int
    choice: str
    kind: str
    strength: float
    scale: float
    k: int
    def __init__(self, format: _Optional[str] = ..., model: _Optional[str] = ..., layer: _Optional[int] = ..., point: _Optional[_Union[_intervention_pb2.Point, str]] = ..., index_offset: _Optional[int] = ..., choice: _Optional[str] = ..., kind: _Optional[str] = ..., strength: _Optional[float] = ..., scale: _Optional[float] = ..., k: _Optional[int] = ...) -> None: ...

class FileHeader(_message.Message):
    __slots__ = ("path", "size")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    path: str
    size: int
    def __init__(self, path: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class ImportVectorResponse(_message.Message):
    __slots__ = ("account", "vector")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    account: ImportAccount
    vector: Vector
    def __init__(self, account: _Optional[_Union[ImportAccount, _Mapping]] = ..., vector: _Optional[_Union[Vector, _Mapping]] = ...) -> None: ...

class ImportAccount(_message.Message):
    __slots__ = ("format", "writer", "kind", "model", "d_model", "sites", "norms", "convention", "scale", "detail", "dropped", "folded", "warnings")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    D_MODEL_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    NORMS_FIELD_NUMBER: _ClassVar[int]
    CONVENTION_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    FOLDED_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    format: str
    writer: str
    kind: str
    model: str
    d_model: int
    sites: _containers.RepeatedCompositeFieldContainer[_intervention_pb2.Site]
    norms: _containers.RepeatedScalarFieldContainer[float]
    convention: str
    scale: str
    detail: str
    dropped: _containers.RepeatedScalarFieldContainer[str]
    folded: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, format: _Optional[str] = ..., writer: _Optional[str] = ..., kind: _Optional[str] = ..., model: _Optional[str] = ..., d_model: _Optional[int] = ..., sites: _Optional[_Iterable[_Union[_intervention_pb2.Site, _Mapping]]] = ..., norms: _Optional[_Iterable[float]] = ..., convention: _Optional[str] = ..., scale: _Optional[str] = ..., detail: _Optional[str] = ..., dropped: _Optional[_Iterable[str]] = ..., folded: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportVectorRequest(_message.Message):
    __slots__ = ("name", "format")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    name: str
    format: str
    def __init__(self, name: _Optional[str] = ..., format: _Optional[str] = ...) -> None: ...

class ExportVectorResponse(_message.Message):
    __slots__ = ("header", "file", "piece")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    header: ExportHeader
    file: FileHeader
    piece: Piece
    def __init__(self, header: _Optional[_Union[ExportHeader, _Mapping]] = ..., file: _Optional[_Union[FileHeader, _Mapping]] = ..., piece: _Optional[_Union[Piece, _Mapping]] = ...) -> None: ...

class ExportHeader(_message.Message):
    __slots__ = ("vector", "notes")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    vector: Vector
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, vector: _Optional[_Union[Vector, _Mapping]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class CombineVectorsRequest(_message.Message):
    __slots__ = ("name", "expression", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    expression: str
    description: str
    def __init__(self, name: _Optional[str] = ..., expression: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class CombineVectorsResponse(_message.Message):
    __slots__ = ("vector",)
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    vector: Vector
    def __init__(self, vector: _Optional[_Union[Vector, _Mapping]] = ...) -> None: ...

class VerifyVectorsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyVectorsResponse(_message.Message):
    __slots__ = ("versions", "damage", "leftovers")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    DAMAGE_FIELD_NUMBER: _ClassVar[int]
    LEFTOVERS_FIELD_NUMBER: _ClassVar[int]
    versions: int
    damage: _containers.RepeatedCompositeFieldContainer[Damage]
    leftovers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, versions: _Optional[int] = ..., damage: _Optional[_Iterable[_Union[Damage, _Mapping]]] = ..., leftovers: _Optional[_Iterable[str]] = ...) -> None: ...

class Damage(_message.Message):
    __slots__ = ("where", "problem")
    WHERE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    where: str
    problem: str
    def __init__(self, where: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...
