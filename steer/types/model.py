"""The model that is served."""

from dataclasses import dataclass

from steer.types.site import Point


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is served."""

    id: str
    revision: str
    fingerprint: str
    architecture: str
    layers: int
    d_model: int
    vocab_size: int
    context_length: int
    parameters: int
    dtype: str
    device: str
    points: tuple[Point, ...]
    ops: tuple[str, ...]
    has_chat_template: bool
    max_rows: int
    kv_tokens: int
    server_version: str
