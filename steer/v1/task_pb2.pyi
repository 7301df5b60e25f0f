from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Extractor(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXTRACTOR_UNSPECIFIED: _ClassVar[Extractor]
    EXTRACTOR_EXACT: _ClassVar[Extractor]
    EXTRACTOR_NUMBER: _ClassVar[Extractor]
    EXTRACTOR_CHOICE: _ClassVar[Extractor]
    EXTRACTOR_REGEX: _ClassVar[Extractor]
    EXTRACTOR_LAST_LINE: _ClassVar[Extractor]
    EXTRACTOR_MATH: _ClassVar[Extractor]
EXTRACTOR_UNSPECIFIED: Extractor
EXTRACTOR_EXACT: Extractor
EXTRACTOR_NUMBER: Extractor
EXTRACTOR_CHOICE: Extractor
EXTRACTOR_REGEX: Extractor
EXTRACTOR_LAST_LINE: Extractor
EXTRACTOR_MATH: Extractor

class InlineTask(_message.Message):
    __slots__ = ("name", "jsonl", "extractor", "pattern")
    NAME_FIELD_NUMBER: _ClassVar[int]
    JSONL_FIELD_NUMBER: _ClassVar[int]
    EXTRACTOR_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    name: str
    jsonl: str
    extractor: Extractor
    pattern: str
    def __init__(self, name: _Optional[str] = ..., jsonl: _Optional[str] = ..., extractor: _Optional[_Union[Extractor, str]] = ..., pattern: _Optional[str] = ...) -> None: ...
