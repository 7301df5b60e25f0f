"""What is served and what is stored: the model and its vectors."""

from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

import steer.v1 as pb
from steer.types import ModelInfo, VectorInfo
from steer.wire.check import Check
from steer.wire.enums import POINT
from steer.wire.operands import build_site, parse_site

# Beyond this a float no longer tells neighbouring integers apart.
_EXACT = 2**53

# Fields that have one name and one plain type in both worlds.
_MODEL = (
    "id revision fingerprint architecture layers d_model vocab_size context_length parameters "
    "dtype device has_chat_template max_rows kv_tokens server_version"
).split()
_VECTOR = (
    "name content_hash kind description model fingerprint d_model method licence created"
).split()


def build_model(model: ModelInfo) -> pb.GetModelResponse:
    """What is served."""
    return pb.GetModelResponse(
        **{name: getattr(model, name) for name in _MODEL},
        points=[POINT.build(point) for point in model.points],
        ops=model.ops,
    )


def parse_model(message: pb.GetModelResponse) -> ModelInfo:
    """What is served. Points that this version does not know are left out."""
    points = (POINT.find(number) for number in message.points)
    return ModelInfo(
        **{name: getattr(message, name) for name in _MODEL},
        points=tuple(point for point in points if point is not None),
        ops=tuple(message.ops),
    )


def build_vector(vector: VectorInfo, with_card: bool) -> pb.Vector:
    """A stored vector, with its whole card or without it."""
    return pb.Vector(
        **{name: getattr(vector, name) for name in _VECTOR},
        sites=[build_site(site) for site in vector.sites],
        norms=vector.norms,
        card=ParseDict(dict(vector.card), Struct()) if with_card else None,
    )


def parse_vector(message: pb.Vector) -> VectorInfo:
    """A stored vector; ``card`` is empty when it was not sent."""
    return VectorInfo(
        **{name: getattr(message, name) for name in _VECTOR},
        sites=tuple(parse_site(site, Check.begin()) for site in message.sites),
        norms=tuple(message.norms),
        card=_whole(MessageToDict(message.card)),
    )


def _whole(value: Any) -> Any:
    """The same with integers as such: JSON on the wire knows only floats."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    return value
