"""What is served: the model."""

import steer.v1 as pb
from steer.types import ModelInfo
from steer.wire.enums import POINT

# Fields that have one name and one plain type in both worlds.
_MODEL = (
    "id revision fingerprint architecture layers d_model vocab_size context_length parameters "
    "dtype device has_chat_template max_rows kv_tokens server_version"
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
