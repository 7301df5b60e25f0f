from steer.v1 import intervention_pb2 as _intervention_pb2
from steer.v1 import trial_pb2 as _trial_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetModelRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("id", "revision", "fingerprint", "architecture", "layers", "d_model", "vocab_size", "context_length", "parameters", "dtype", "device", "points", "ops", "has_chat_template", "max_rows", "kv_tokens", "server_version")
    ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    D_MODEL_FIELD_NUMBER: _ClassVar[int]
    VOCAB_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    OPS_FIELD_NUMBER: _ClassVar[int]
    HAS_CHAT_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    MAX_ROWS_FIELD_NUMBER: _ClassVar[int]
    KV_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
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
    points: _containers.RepeatedScalarFieldContainer[_intervention_pb2.Point]
    ops: _containers.RepeatedScalarFieldContainer[str]
    has_chat_template: bool
    max_rows: int
    kv_tokens: int
    server_version: str
    def __init__(self, id: _Optional[str] = ..., revision: _Optional[str] = ..., fingerprint: _Optional[str] = ..., architecture: _Optional[str] = ..., layers: _Optional[int] = ..., d_model: _Optional[int] = ..., vocab_size: _Optional[int] = ..., context_length: _Optional[int] = ..., parameters: _Optional[int] = ..., dtype: _Optional[str] = ..., device: _Optional[str] = ..., points: _Optional[_Iterable[_Union[_intervention_pb2.Point, str]]] = ..., ops: _Optional[_Iterable[str]] = ..., has_chat_template: _Optional[bool] = ..., max_rows: _Optional[int] = ..., kv_tokens: _Optional[int] = ..., server_version: _Optional[str] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("trial",)
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    trial: _trial_pb2.Trial
    def __init__(self, trial: _Optional[_Union[_trial_pb2.Trial, _Mapping]] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("started", "chunks", "finished", "measurements", "branches")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    BRANCHES_FIELD_NUMBER: _ClassVar[int]
    started: _trial_pb2.Started
    chunks: _trial_pb2.Chunks
    finished: _trial_pb2.Finished
    measurements: _trial_pb2.Measurements
    branches: _trial_pb2.Branches
    def __init__(self, started: _Optional[_Union[_trial_pb2.Started, _Mapping]] = ..., chunks: _Optional[_Union[_trial_pb2.Chunks, _Mapping]] = ..., finished: _Optional[_Union[_trial_pb2.Finished, _Mapping]] = ..., measurements: _Optional[_Union[_trial_pb2.Measurements, _Mapping]] = ..., branches: _Optional[_Union[_trial_pb2.Branches, _Mapping]] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ("trial",)
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    trial: _trial_pb2.Trial
    def __init__(self, trial: _Optional[_Union[_trial_pb2.Trial, _Mapping]] = ...) -> None: ...

class CompareResponse(_message.Message):
    __slots__ = ("started", "rows", "measurements", "branches")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    BRANCHES_FIELD_NUMBER: _ClassVar[int]
    started: _trial_pb2.Started
    rows: _containers.RepeatedCompositeFieldContainer[_trial_pb2.Row]
    measurements: _containers.RepeatedCompositeFieldContainer[_trial_pb2.Measurement]
    branches: _containers.RepeatedCompositeFieldContainer[_trial_pb2.Branches]
    def __init__(self, started: _Optional[_Union[_trial_pb2.Started, _Mapping]] = ..., rows: _Optional[_Iterable[_Union[_trial_pb2.Row, _Mapping]]] = ..., measurements: _Optional[_Iterable[_Union[_trial_pb2.Measurement, _Mapping]]] = ..., branches: _Optional[_Iterable[_Union[_trial_pb2.Branches, _Mapping]]] = ...) -> None: ...

class ScoreRequest(_message.Message):
    __slots__ = ("prompt", "continuation", "arms", "allow_model_mismatch")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MODEL_MISMATCH_FIELD_NUMBER: _ClassVar[int]
    prompt: _trial_pb2.Prompt
    continuation: _trial_pb2.Prompt
    arms: _containers.RepeatedCompositeFieldContainer[_trial_pb2.Arm]
    allow_model_mismatch: bool
    def __init__(self, prompt: _Optional[_Union[_trial_pb2.Prompt, _Mapping]] = ..., continuation: _Optional[_Union[_trial_pb2.Prompt, _Mapping]] = ..., arms: _Optional[_Iterable[_Union[_trial_pb2.Arm, _Mapping]]] = ..., allow_model_mismatch: _Optional[bool] = ...) -> None: ...

class ScoredArm(_message.Message):
    __slots__ = ("name", "logprobs", "ranks", "kl", "total_logprob", "receipts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    KL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_LOGPROB_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    logprobs: _containers.RepeatedScalarFieldContainer[float]
    ranks: _containers.RepeatedScalarFieldContainer[int]
    kl: _containers.RepeatedScalarFieldContainer[float]
    total_logprob: float
    receipts: _containers.RepeatedCompositeFieldContainer[_trial_pb2.Receipt]
    def __init__(self, name: _Optional[str] = ..., logprobs: _Optional[_Iterable[float]] = ..., ranks: _Optional[_Iterable[int]] = ..., kl: _Optional[_Iterable[float]] = ..., total_logprob: _Optional[float] = ..., receipts: _Optional[_Iterable[_Union[_trial_pb2.Receipt, _Mapping]]] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ("started", "token_ids", "arms")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    started: _trial_pb2.Started
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    arms: _containers.RepeatedCompositeFieldContainer[ScoredArm]
    def __init__(self, started: _Optional[_Union[_trial_pb2.Started, _Mapping]] = ..., token_ids: _Optional[_Iterable[int]] = ..., arms: _Optional[_Iterable[_Union[ScoredArm, _Mapping]]] = ...) -> None: ...

class FeatureReadout(_message.Message):
    __slots__ = ("dictionary", "top_k", "indices")
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    dictionary: str
    top_k: int
    indices: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, dictionary: _Optional[str] = ..., top_k: _Optional[int] = ..., indices: _Optional[_Iterable[int]] = ...) -> None: ...

class CaptureRequest(_message.Message):
    __slots__ = ("trial", "sites", "where", "features", "keep")
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    trial: _trial_pb2.Trial
    sites: _containers.RepeatedCompositeFieldContainer[_intervention_pb2.Site]
    where: _intervention_pb2.Where
    features: _containers.RepeatedCompositeFieldContainer[FeatureReadout]
    keep: bool
    def __init__(self, trial: _Optional[_Union[_trial_pb2.Trial, _Mapping]] = ..., sites: _Optional[_Iterable[_Union[_intervention_pb2.Site, _Mapping]]] = ..., where: _Optional[_Union[_intervention_pb2.Where, _Mapping]] = ..., features: _Optional[_Iterable[_Union[FeatureReadout, _Mapping]]] = ..., keep: _Optional[bool] = ...) -> None: ...

class CapturedActivations(_message.Message):
    __slots__ = ("arm", "sample", "site", "positions", "tensor")
    ARM_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    arm: str
    sample: int
    site: _intervention_pb2.Site
    positions: _containers.RepeatedScalarFieldContainer[int]
    tensor: _intervention_pb2.Tensor
    def __init__(self, arm: _Optional[str] = ..., sample: _Optional[int] = ..., site: _Optional[_Union[_intervention_pb2.Site, _Mapping]] = ..., positions: _Optional[_Iterable[int]] = ..., tensor: _Optional[_Union[_intervention_pb2.Tensor, _Mapping]] = ...) -> None: ...

class LatentActivations(_message.Message):
    __slots__ = ("indices", "activations")
    INDICES_FIELD_NUMBER: _ClassVar[int]
    ACTIVATIONS_FIELD_NUMBER: _ClassVar[int]
    indices: _containers.RepeatedScalarFieldContainer[int]
    activations: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, indices: _Optional[_Iterable[int]] = ..., activations: _Optional[_Iterable[float]] = ...) -> None: ...

class CapturedFeatures(_message.Message):
    __slots__ = ("arm", "sample", "dictionary", "positions", "latents")
    ARM_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    arm: str
    sample: int
    dictionary: str
    positions: _containers.RepeatedScalarFieldContainer[int]
    latents: _containers.RepeatedCompositeFieldContainer[LatentActivations]
    def __init__(self, arm: _Optional[str] = ..., sample: _Optional[int] = ..., dictionary: _Optional[str] = ..., positions: _Optional[_Iterable[int]] = ..., latents: _Optional[_Iterable[_Union[LatentActivations, _Mapping]]] = ...) -> None: ...

class HeldCapture(_message.Message):
    __slots__ = ("arm", "sample", "capture_id", "size")
    ARM_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    arm: str
    sample: int
    capture_id: str
    size: int
    def __init__(self, arm: _Optional[str] = ..., sample: _Optional[int] = ..., capture_id: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class HeldCaptures(_message.Message):
    __slots__ = ("captures",)
    CAPTURES_FIELD_NUMBER: _ClassVar[int]
    captures: _containers.RepeatedCompositeFieldContainer[HeldCapture]
    def __init__(self, captures: _Optional[_Iterable[_Union[HeldCapture, _Mapping]]] = ...) -> None: ...

class CaptureResponse(_message.Message):
    __slots__ = ("started", "chunks", "activations", "features", "finished", "held")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    ACTIVATIONS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    started: _trial_pb2.Started
    chunks: _trial_pb2.Chunks
    activations: CapturedActivations
    features: CapturedFeatures
    finished: _trial_pb2.Finished
    held: HeldCaptures
    def __init__(self, started: _Optional[_Union[_trial_pb2.Started, _Mapping]] = ..., chunks: _Optional[_Union[_trial_pb2.Chunks, _Mapping]] = ..., activations: _Optional[_Union[CapturedActivations, _Mapping]] = ..., features: _Optional[_Union[CapturedFeatures, _Mapping]] = ..., finished: _Optional[_Union[_trial_pb2.Finished, _Mapping]] = ..., held: _Optional[_Union[HeldCaptures, _Mapping]] = ...) -> None: ...

class TokenizeRequest(_message.Message):
    __slots__ = ("prompt",)
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    prompt: _trial_pb2.Prompt
    def __init__(self, prompt: _Optional[_Union[_trial_pb2.Prompt, _Mapping]] = ...) -> None: ...

class TokenizeResponse(_message.Message):
    __slots__ = ("token_ids", "pieces", "special")
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_FIELD_NUMBER: _ClassVar[int]
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    pieces: _containers.RepeatedScalarFieldContainer[str]
    special: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, token_ids: _Optional[_Iterable[int]] = ..., pieces: _Optional[_Iterable[str]] = ..., special: _Optional[_Iterable[bool]] = ...) -> None: ...
