import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from steer.v1 import intervention_pb2 as _intervention_pb2
from steer.v1 import task_pb2 as _task_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FinishReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINISH_REASON_UNSPECIFIED: _ClassVar[FinishReason]
    FINISH_REASON_STOP: _ClassVar[FinishReason]
    FINISH_REASON_LENGTH: _ClassVar[FinishReason]
    FINISH_REASON_STOP_SEQUENCE: _ClassVar[FinishReason]
    FINISH_REASON_TIME_LIMIT: _ClassVar[FinishReason]
    FINISH_REASON_CANCELLED: _ClassVar[FinishReason]
    FINISH_REASON_DIVERGED: _ClassVar[FinishReason]
FINISH_REASON_UNSPECIFIED: FinishReason
FINISH_REASON_STOP: FinishReason
FINISH_REASON_LENGTH: FinishReason
FINISH_REASON_STOP_SEQUENCE: FinishReason
FINISH_REASON_TIME_LIMIT: FinishReason
FINISH_REASON_CANCELLED: FinishReason
FINISH_REASON_DIVERGED: FinishReason

class ChatMessage(_message.Message):
    __slots__ = ("role", "content")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    role: str
    content: str
    def __init__(self, role: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class Chat(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[ChatMessage]
    def __init__(self, messages: _Optional[_Iterable[_Union[ChatMessage, _Mapping]]] = ...) -> None: ...

class Tokens(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, ids: _Optional[_Iterable[int]] = ...) -> None: ...

class Prompt(_message.Message):
    __slots__ = ("text", "chat", "tokens")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CHAT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    text: str
    chat: Chat
    tokens: Tokens
    def __init__(self, text: _Optional[str] = ..., chat: _Optional[_Union[Chat, _Mapping]] = ..., tokens: _Optional[_Union[Tokens, _Mapping]] = ...) -> None: ...

class Sampling(_message.Message):
    __slots__ = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "min_tokens", "stop", "stop_token_ids", "ignore_eos", "seed", "logprobs", "logit_bias")
    class LogitBiasEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: float
        def __init__(self, key: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    MIN_P_FIELD_NUMBER: _ClassVar[int]
    REPETITION_PENALTY_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MIN_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    STOP_TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    IGNORE_EOS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    LOGIT_BIAS_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repetition_penalty: float
    max_tokens: int
    min_tokens: int
    stop: _containers.RepeatedScalarFieldContainer[str]
    stop_token_ids: _containers.RepeatedScalarFieldContainer[int]
    ignore_eos: bool
    seed: int
    logprobs: int
    logit_bias: _containers.ScalarMap[int, float]
    def __init__(self, temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., top_k: _Optional[int] = ..., min_p: _Optional[float] = ..., repetition_penalty: _Optional[float] = ..., max_tokens: _Optional[int] = ..., min_tokens: _Optional[int] = ..., stop: _Optional[_Iterable[str]] = ..., stop_token_ids: _Optional[_Iterable[int]] = ..., ignore_eos: _Optional[bool] = ..., seed: _Optional[int] = ..., logprobs: _Optional[int] = ..., logit_bias: _Optional[_Mapping[int, float]] = ...) -> None: ...

class Arm(_message.Message):
    __slots__ = ("name", "interventions", "forced_prefix", "logit_bias", "prompt", "recipes")
    class LogitBiasEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: float
        def __init__(self, key: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    INTERVENTIONS_FIELD_NUMBER: _ClassVar[int]
    FORCED_PREFIX_FIELD_NUMBER: _ClassVar[int]
    LOGIT_BIAS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    RECIPES_FIELD_NUMBER: _ClassVar[int]
    name: str
    interventions: _containers.RepeatedCompositeFieldContainer[_intervention_pb2.Intervention]
    forced_prefix: Prompt
    logit_bias: _containers.ScalarMap[int, float]
    prompt: Prompt
    recipes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., interventions: _Optional[_Iterable[_Union[_intervention_pb2.Intervention, _Mapping]]] = ..., forced_prefix: _Optional[_Union[Prompt, _Mapping]] = ..., logit_bias: _Optional[_Mapping[int, float]] = ..., prompt: _Optional[_Union[Prompt, _Mapping]] = ..., recipes: _Optional[_Iterable[str]] = ...) -> None: ...

class Branching(_message.Message):
    __slots__ = ("k", "extractor", "pattern")
    K_FIELD_NUMBER: _ClassVar[int]
    EXTRACTOR_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    k: int
    extractor: _task_pb2.Extractor
    pattern: str
    def __init__(self, k: _Optional[int] = ..., extractor: _Optional[_Union[_task_pb2.Extractor, str]] = ..., pattern: _Optional[str] = ...) -> None: ...

class Trial(_message.Message):
    __slots__ = ("prompt", "arms", "baseline", "noise_floor", "sampling", "samples", "measure", "allow_model_mismatch", "branching")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    NOISE_FLOOR_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MODEL_MISMATCH_FIELD_NUMBER: _ClassVar[int]
    BRANCHING_FIELD_NUMBER: _ClassVar[int]
    prompt: Prompt
    arms: _containers.RepeatedCompositeFieldContainer[Arm]
    baseline: bool
    noise_floor: bool
    sampling: Sampling
    samples: int
    measure: bool
    allow_model_mismatch: bool
    branching: Branching
    def __init__(self, prompt: _Optional[_Union[Prompt, _Mapping]] = ..., arms: _Optional[_Iterable[_Union[Arm, _Mapping]]] = ..., baseline: _Optional[bool] = ..., noise_floor: _Optional[bool] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ..., samples: _Optional[int] = ..., measure: _Optional[bool] = ..., allow_model_mismatch: _Optional[bool] = ..., branching: _Optional[_Union[Branching, _Mapping]] = ...) -> None: ...

class ResolvedIntervention(_message.Message):
    __slots__ = ("op", "operand", "content_hash", "coefficients", "where", "gate")
    OP_FIELD_NUMBER: _ClassVar[int]
    OPERAND_FIELD_NUMBER: _ClassVar[int]
    CONTENT_HASH_FIELD_NUMBER: _ClassVar[int]
    COEFFICIENTS_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    op: str
    operand: str
    content_hash: str
    coefficients: _containers.RepeatedCompositeFieldContainer[SiteCoefficient]
    where: _intervention_pb2.Where
    gate: GateDecision
    def __init__(self, op: _Optional[str] = ..., operand: _Optional[str] = ..., content_hash: _Optional[str] = ..., coefficients: _Optional[_Iterable[_Union[SiteCoefficient, _Mapping]]] = ..., where: _Optional[_Union[_intervention_pb2.Where, _Mapping]] = ..., gate: _Optional[_Union[GateDecision, _Mapping]] = ...) -> None: ...

class GateDecision(_message.Message):
    __slots__ = ("reading", "open")
    READING_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    reading: float
    open: bool
    def __init__(self, reading: _Optional[float] = ..., open: _Optional[bool] = ...) -> None: ...

class SiteCoefficient(_message.Message):
    __slots__ = ("site", "coefficient")
    SITE_FIELD_NUMBER: _ClassVar[int]
    COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
    site: _intervention_pb2.Site
    coefficient: float
    def __init__(self, site: _Optional[_Union[_intervention_pb2.Site, _Mapping]] = ..., coefficient: _Optional[float] = ...) -> None: ...

class ResolvedArm(_message.Message):
    __slots__ = ("name", "prompt_token_ids", "forced_token_ids", "interventions", "shares_prefill")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    FORCED_TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    INTERVENTIONS_FIELD_NUMBER: _ClassVar[int]
    SHARES_PREFILL_FIELD_NUMBER: _ClassVar[int]
    name: str
    prompt_token_ids: _containers.RepeatedScalarFieldContainer[int]
    forced_token_ids: _containers.RepeatedScalarFieldContainer[int]
    interventions: _containers.RepeatedCompositeFieldContainer[ResolvedIntervention]
    shares_prefill: bool
    def __init__(self, name: _Optional[str] = ..., prompt_token_ids: _Optional[_Iterable[int]] = ..., forced_token_ids: _Optional[_Iterable[int]] = ..., interventions: _Optional[_Iterable[_Union[ResolvedIntervention, _Mapping]]] = ..., shares_prefill: _Optional[bool] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("request_id", "model", "fingerprint", "sampling", "samples", "arms", "branching")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    BRANCHING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    model: str
    fingerprint: str
    sampling: Sampling
    samples: int
    arms: _containers.RepeatedCompositeFieldContainer[ResolvedArm]
    branching: Branching
    def __init__(self, request_id: _Optional[str] = ..., model: _Optional[str] = ..., fingerprint: _Optional[str] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ..., samples: _Optional[int] = ..., arms: _Optional[_Iterable[_Union[ResolvedArm, _Mapping]]] = ..., branching: _Optional[_Union[Branching, _Mapping]] = ...) -> None: ...

class Alternative(_message.Message):
    __slots__ = ("token_id", "logprob")
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    LOGPROB_FIELD_NUMBER: _ClassVar[int]
    token_id: int
    logprob: float
    def __init__(self, token_id: _Optional[int] = ..., logprob: _Optional[float] = ...) -> None: ...

class Alternatives(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedCompositeFieldContainer[Alternative]
    def __init__(self, tokens: _Optional[_Iterable[_Union[Alternative, _Mapping]]] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ("arm", "sample", "token_ids", "text", "logprobs", "ranks", "alternatives", "margins")
    ARM_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    MARGINS_FIELD_NUMBER: _ClassVar[int]
    arm: str
    sample: int
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    text: str
    logprobs: _containers.RepeatedScalarFieldContainer[float]
    ranks: _containers.RepeatedScalarFieldContainer[int]
    alternatives: _containers.RepeatedCompositeFieldContainer[Alternatives]
    margins: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, arm: _Optional[str] = ..., sample: _Optional[int] = ..., token_ids: _Optional[_Iterable[int]] = ..., text: _Optional[str] = ..., logprobs: _Optional[_Iterable[float]] = ..., ranks: _Optional[_Iterable[int]] = ..., alternatives: _Optional[_Iterable[_Union[Alternatives, _Mapping]]] = ..., margins: _Optional[_Iterable[float]] = ...) -> None: ...

class Chunks(_message.Message):
    __slots__ = ("chunks",)
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    chunks: _containers.RepeatedCompositeFieldContainer[Chunk]
    def __init__(self, chunks: _Optional[_Iterable[_Union[Chunk, _Mapping]]] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("prompt_tokens", "completion_tokens", "cached_tokens", "queue_time", "prefill_time", "decode_time")
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIME_FIELD_NUMBER: _ClassVar[int]
    PREFILL_TIME_FIELD_NUMBER: _ClassVar[int]
    DECODE_TIME_FIELD_NUMBER: _ClassVar[int]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    queue_time: _duration_pb2.Duration
    prefill_time: _duration_pb2.Duration
    decode_time: _duration_pb2.Duration
    def __init__(self, prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., cached_tokens: _Optional[int] = ..., queue_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., prefill_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., decode_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("intervention", "op", "operand", "content_hash", "site", "coefficient", "tokens", "mean_change", "gate", "features")
    INTERVENTION_FIELD_NUMBER: _ClassVar[int]
    OP_FIELD_NUMBER: _ClassVar[int]
    OPERAND_FIELD_NUMBER: _ClassVar[int]
    CONTENT_HASH_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    MEAN_CHANGE_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    intervention: int
    op: str
    operand: str
    content_hash: str
    site: _intervention_pb2.Site
    coefficient: float
    tokens: int
    mean_change: float
    gate: GateReceipt
    features: _containers.RepeatedCompositeFieldContainer[FeatureReceipt]
    def __init__(self, intervention: _Optional[int] = ..., op: _Optional[str] = ..., operand: _Optional[str] = ..., content_hash: _Optional[str] = ..., site: _Optional[_Union[_intervention_pb2.Site, _Mapping]] = ..., coefficient: _Optional[float] = ..., tokens: _Optional[int] = ..., mean_change: _Optional[float] = ..., gate: _Optional[_Union[GateReceipt, _Mapping]] = ..., features: _Optional[_Iterable[_Union[FeatureReceipt, _Mapping]]] = ...) -> None: ...

class GateReceipt(_message.Message):
    __slots__ = ("readings", "opened", "mean_reading")
    READINGS_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    MEAN_READING_FIELD_NUMBER: _ClassVar[int]
    readings: int
    opened: int
    mean_reading: float
    def __init__(self, readings: _Optional[int] = ..., opened: _Optional[int] = ..., mean_reading: _Optional[float] = ...) -> None: ...

class FeatureReceipt(_message.Message):
    __slots__ = ("index", "mean_before", "mean_after")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    MEAN_BEFORE_FIELD_NUMBER: _ClassVar[int]
    MEAN_AFTER_FIELD_NUMBER: _ClassVar[int]
    index: int
    mean_before: float
    mean_after: float
    def __init__(self, index: _Optional[int] = ..., mean_before: _Optional[float] = ..., mean_after: _Optional[float] = ...) -> None: ...

class Finished(_message.Message):
    __slots__ = ("arm", "sample", "reason", "stop", "usage", "receipts")
    ARM_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    arm: str
    sample: int
    reason: FinishReason
    stop: str
    usage: Usage
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    def __init__(self, arm: _Optional[str] = ..., sample: _Optional[int] = ..., reason: _Optional[_Union[FinishReason, str]] = ..., stop: _Optional[str] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ...) -> None: ...

class Measurement(_message.Message):
    __slots__ = ("arm", "sample", "first_divergence", "kl", "logprobs", "baseline_logprobs", "mean_kl")
    ARM_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    FIRST_DIVERGENCE_FIELD_NUMBER: _ClassVar[int]
    KL_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    BASELINE_LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    MEAN_KL_FIELD_NUMBER: _ClassVar[int]
    arm: str
    sample: int
    first_divergence: int
    kl: _containers.RepeatedScalarFieldContainer[float]
    logprobs: _containers.RepeatedScalarFieldContainer[float]
    baseline_logprobs: _containers.RepeatedScalarFieldContainer[float]
    mean_kl: float
    def __init__(self, arm: _Optional[str] = ..., sample: _Optional[int] = ..., first_divergence: _Optional[int] = ..., kl: _Optional[_Iterable[float]] = ..., logprobs: _Optional[_Iterable[float]] = ..., baseline_logprobs: _Optional[_Iterable[float]] = ..., mean_kl: _Optional[float] = ...) -> None: ...

class Measurements(_message.Message):
    __slots__ = ("measurements",)
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    measurements: _containers.RepeatedCompositeFieldContainer[Measurement]
    def __init__(self, measurements: _Optional[_Iterable[_Union[Measurement, _Mapping]]] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("arm", "sample", "token_ids", "text", "logprobs", "ranks", "alternatives", "finished", "margins")
    ARM_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    MARGINS_FIELD_NUMBER: _ClassVar[int]
    arm: str
    sample: int
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    text: str
    logprobs: _containers.RepeatedScalarFieldContainer[float]
    ranks: _containers.RepeatedScalarFieldContainer[int]
    alternatives: _containers.RepeatedCompositeFieldContainer[Alternatives]
    finished: Finished
    margins: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, arm: _Optional[str] = ..., sample: _Optional[int] = ..., token_ids: _Optional[_Iterable[int]] = ..., text: _Optional[str] = ..., logprobs: _Optional[_Iterable[float]] = ..., ranks: _Optional[_Iterable[int]] = ..., alternatives: _Optional[_Iterable[_Union[Alternatives, _Mapping]]] = ..., finished: _Optional[_Union[Finished, _Mapping]] = ..., margins: _Optional[_Iterable[float]] = ...) -> None: ...

class TokenSpan(_message.Message):
    __slots__ = ("begin", "end")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    begin: int
    end: int
    def __init__(self, begin: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class Branch(_message.Message):
    __slots__ = ("rank", "first_token_id", "tokens", "logprob", "mean_logprob", "answer", "span", "confidence")
    RANK_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    LOGPROB_FIELD_NUMBER: _ClassVar[int]
    MEAN_LOGPROB_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    SPAN_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    rank: int
    first_token_id: int
    tokens: int
    logprob: float
    mean_logprob: float
    answer: str
    span: TokenSpan
    confidence: float
    def __init__(self, rank: _Optional[int] = ..., first_token_id: _Optional[int] = ..., tokens: _Optional[int] = ..., logprob: _Optional[float] = ..., mean_logprob: _Optional[float] = ..., answer: _Optional[str] = ..., span: _Optional[_Union[TokenSpan, _Mapping]] = ..., confidence: _Optional[float] = ...) -> None: ...

class BranchedAnswer(_message.Message):
    __slots__ = ("answer", "confidence", "ranks")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    answer: str
    confidence: float
    ranks: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, answer: _Optional[str] = ..., confidence: _Optional[float] = ..., ranks: _Optional[_Iterable[int]] = ...) -> None: ...

class BranchChoices(_message.Message):
    __slots__ = ("confidence", "aggregated", "logprob", "mean_logprob", "random")
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATED_FIELD_NUMBER: _ClassVar[int]
    LOGPROB_FIELD_NUMBER: _ClassVar[int]
    MEAN_LOGPROB_FIELD_NUMBER: _ClassVar[int]
    RANDOM_FIELD_NUMBER: _ClassVar[int]
    confidence: int
    aggregated: int
    logprob: int
    mean_logprob: int
    random: int
    def __init__(self, confidence: _Optional[int] = ..., aggregated: _Optional[int] = ..., logprob: _Optional[int] = ..., mean_logprob: _Optional[int] = ..., random: _Optional[int] = ...) -> None: ...

class Branches(_message.Message):
    __slots__ = ("arm", "branches", "answers", "choices")
    ARM_FIELD_NUMBER: _ClassVar[int]
    BRANCHES_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    arm: str
    branches: _containers.RepeatedCompositeFieldContainer[Branch]
    answers: _containers.RepeatedCompositeFieldContainer[BranchedAnswer]
    choices: BranchChoices
    def __init__(self, arm: _Optional[str] = ..., branches: _Optional[_Iterable[_Union[Branch, _Mapping]]] = ..., answers: _Optional[_Iterable[_Union[BranchedAnswer, _Mapping]]] = ..., choices: _Optional[_Union[BranchChoices, _Mapping]] = ...) -> None: ...
