from steer.v1 import intervention_pb2 as _intervention_pb2
from steer.v1 import task_pb2 as _task_pb2
from steer.v1 import trial_pb2 as _trial_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExtractMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXTRACT_METHOD_UNSPECIFIED: _ClassVar[ExtractMethod]
    EXTRACT_METHOD_DIFFERENCE_OF_MEANS: _ClassVar[ExtractMethod]
    EXTRACT_METHOD_PCA: _ClassVar[ExtractMethod]
    EXTRACT_METHOD_PROBE: _ClassVar[ExtractMethod]
    EXTRACT_METHOD_LDA: _ClassVar[ExtractMethod]

class ReadAt(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READ_AT_UNSPECIFIED: _ClassVar[ReadAt]
    READ_AT_LAST_PROMPT: _ClassVar[ReadAt]
    READ_AT_PROMPT: _ClassVar[ReadAt]
    READ_AT_ANSWER: _ClassVar[ReadAt]
    READ_AT_SPANS: _ClassVar[ReadAt]
    READ_AT_ALL: _ClassVar[ReadAt]
    READ_AT_EVENT: _ClassVar[ReadAt]

class Pooling(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POOLING_UNSPECIFIED: _ClassVar[Pooling]
    POOLING_MEAN: _ClassVar[Pooling]
    POOLING_TOKEN: _ClassVar[Pooling]
    POOLING_SENTENCE: _ClassVar[Pooling]

class Objective(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECTIVE_UNSPECIFIED: _ClassVar[Objective]
    OBJECTIVE_CROSS_ENTROPY: _ClassVar[Objective]
    OBJECTIVE_RLOO: _ClassVar[Objective]
    OBJECTIVE_GRPO_NO_STD: _ClassVar[Objective]
EXTRACT_METHOD_UNSPECIFIED: ExtractMethod
EXTRACT_METHOD_DIFFERENCE_OF_MEANS: ExtractMethod
EXTRACT_METHOD_PCA: ExtractMethod
EXTRACT_METHOD_PROBE: ExtractMethod
EXTRACT_METHOD_LDA: ExtractMethod
READ_AT_UNSPECIFIED: ReadAt
READ_AT_LAST_PROMPT: ReadAt
READ_AT_PROMPT: ReadAt
READ_AT_ANSWER: ReadAt
READ_AT_SPANS: ReadAt
READ_AT_ALL: ReadAt
READ_AT_EVENT: ReadAt
POOLING_UNSPECIFIED: Pooling
POOLING_MEAN: Pooling
POOLING_TOKEN: Pooling
POOLING_SENTENCE: Pooling
OBJECTIVE_UNSPECIFIED: Objective
OBJECTIVE_CROSS_ENTROPY: Objective
OBJECTIVE_RLOO: Objective
OBJECTIVE_GRPO_NO_STD: Objective

class Passage(_message.Message):
    __slots__ = ("prompt", "answer", "spans")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    prompt: _trial_pb2.Prompt
    answer: str
    spans: _containers.RepeatedCompositeFieldContainer[_trial_pb2.TokenSpan]
    def __init__(self, prompt: _Optional[_Union[_trial_pb2.Prompt, _Mapping]] = ..., answer: _Optional[str] = ..., spans: _Optional[_Iterable[_Union[_trial_pb2.TokenSpan, _Mapping]]] = ...) -> None: ...

class ExtractSpec(_message.Message):
    __slots__ = ("into", "positive", "negative", "task_name", "inline_task", "n", "paired", "method", "read_at", "event", "offset", "pooling", "sites", "normalise", "scale", "as_probe", "where", "description", "licence", "seed")
    INTO_FIELD_NUMBER: _ClassVar[int]
    POSITIVE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    INLINE_TASK_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    PAIRED_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    READ_AT_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    POOLING_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    NORMALISE_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    AS_PROBE_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    into: str
    positive: _containers.RepeatedCompositeFieldContainer[Passage]
    negative: _containers.RepeatedCompositeFieldContainer[Passage]
    task_name: str
    inline_task: _task_pb2.InlineTask
    n: int
    paired: bool
    method: ExtractMethod
    read_at: ReadAt
    event: str
    offset: int
    pooling: Pooling
    sites: _containers.RepeatedCompositeFieldContainer[_intervention_pb2.Site]
    normalise: bool
    scale: float
    as_probe: bool
    where: _intervention_pb2.Where
    description: str
    licence: str
    seed: int
    def __init__(self, into: _Optional[str] = ..., positive: _Optional[_Iterable[_Union[Passage, _Mapping]]] = ..., negative: _Optional[_Iterable[_Union[Passage, _Mapping]]] = ..., task_name: _Optional[str] = ..., inline_task: _Optional[_Union[_task_pb2.InlineTask, _Mapping]] = ..., n: _Optional[int] = ..., paired: _Optional[bool] = ..., method: _Optional[_Union[ExtractMethod, str]] = ..., read_at: _Optional[_Union[ReadAt, str]] = ..., event: _Optional[str] = ..., offset: _Optional[int] = ..., pooling: _Optional[_Union[Pooling, str]] = ..., sites: _Optional[_Iterable[_Union[_intervention_pb2.Site, _Mapping]]] = ..., normalise: _Optional[bool] = ..., scale: _Optional[float] = ..., as_probe: _Optional[bool] = ..., where: _Optional[_Union[_intervention_pb2.Where, _Mapping]] = ..., description: _Optional[str] = ..., licence: _Optional[str] = ..., seed: _Optional[int] = ...) -> None: ...

class Demonstration(_message.Message):
    __slots__ = ("prompt", "target")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    prompt: _trial_pb2.Prompt
    target: str
    def __init__(self, prompt: _Optional[_Union[_trial_pb2.Prompt, _Mapping]] = ..., target: _Optional[str] = ...) -> None: ...

class TrainSpec(_message.Message):
    __slots__ = ("into", "objective", "task_name", "inline_task", "demonstrations", "swapped", "train_n", "sites", "phase", "steps", "batch", "group", "rate", "cosine", "temperature", "max_tokens", "kl", "retain", "norm", "teacher", "teacher_top_k", "select_n", "select_every", "enough", "patience", "seed", "description", "licence")
    INTO_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    INLINE_TASK_FIELD_NUMBER: _ClassVar[int]
    DEMONSTRATIONS_FIELD_NUMBER: _ClassVar[int]
    SWAPPED_FIELD_NUMBER: _ClassVar[int]
    TRAIN_N_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    COSINE_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    KL_FIELD_NUMBER: _ClassVar[int]
    RETAIN_FIELD_NUMBER: _ClassVar[int]
    NORM_FIELD_NUMBER: _ClassVar[int]
    TEACHER_FIELD_NUMBER: _ClassVar[int]
    TEACHER_TOP_K_FIELD_NUMBER: _ClassVar[int]
    SELECT_N_FIELD_NUMBER: _ClassVar[int]
    SELECT_EVERY_FIELD_NUMBER: _ClassVar[int]
    ENOUGH_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    into: str
    objective: Objective
    task_name: str
    inline_task: _task_pb2.InlineTask
    demonstrations: _containers.RepeatedCompositeFieldContainer[Demonstration]
    swapped: bool
    train_n: int
    sites: _containers.RepeatedCompositeFieldContainer[_intervention_pb2.Site]
    phase: _intervention_pb2.Phase
    steps: int
    batch: int
    group: int
    rate: float
    cosine: bool
    temperature: float
    max_tokens: int
    kl: float
    retain: float
    norm: float
    teacher: float
    teacher_top_k: int
    select_n: int
    select_every: int
    enough: float
    patience: int
    seed: int
    description: str
    licence: str
    def __init__(self, into: _Optional[str] = ..., objective: _Optional[_Union[Objective, str]] = ..., task_name: _Optional[str] = ..., inline_task: _Optional[_Union[_task_pb2.InlineTask, _Mapping]] = ..., demonstrations: _Optional[_Iterable[_Union[Demonstration, _Mapping]]] = ..., swapped: _Optional[bool] = ..., train_n: _Optional[int] = ..., sites: _Optional[_Iterable[_Union[_intervention_pb2.Site, _Mapping]]] = ..., phase: _Optional[_Union[_intervention_pb2.Phase, str]] = ..., steps: _Optional[int] = ..., batch: _Optional[int] = ..., group: _Optional[int] = ..., rate: _Optional[float] = ..., cosine: _Optional[bool] = ..., temperature: _Optional[float] = ..., max_tokens: _Optional[int] = ..., kl: _Optional[float] = ..., retain: _Optional[float] = ..., norm: _Optional[float] = ..., teacher: _Optional[float] = ..., teacher_top_k: _Optional[int] = ..., select_n: _Optional[int] = ..., select_every: _Optional[int] = ..., enough: _Optional[float] = ..., patience: _Optional[int] = ..., seed: _Optional[int] = ..., description: _Optional[str] = ..., licence: _Optional[str] = ...) -> None: ...
