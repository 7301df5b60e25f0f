from google.protobuf import struct_pb2 as _struct_pb2
from steer.v1 import intervention_pb2 as _intervention_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Vector(_message.Message):
    __slots__ = ("name", "content_hash", "kind", "description", "model", "fingerprint", "d_model", "sites", "norms", "method", "licence", "created", "card")
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
    def __init__(self, name: _Optional[str] = ..., content_hash: _Optional[str] = ..., kind: _Optional[str] = ..., description: _Optional[str] = ..., model: _Optional[str] = ..., fingerprint: _Optional[str] = ..., d_model: _Optional[int] = ..., sites: _Optional[_Iterable[_Union[_intervention_pb2.Site, _Mapping]]] = ..., norms: _Optional[_Iterable[float]] = ..., method: _Optional[str] = ..., licence: _Optional[str] = ..., created: _Optional[str] = ..., card: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

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
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetVectorResponse(_message.Message):
    __slots__ = ("vector",)
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    vector: Vector
    def __init__(self, vector: _Optional[_Union[Vector, _Mapping]] = ...) -> None: ...
