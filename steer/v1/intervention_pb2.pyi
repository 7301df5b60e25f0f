from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Point(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POINT_UNSPECIFIED: _ClassVar[Point]
    POINT_RESID_PRE: _ClassVar[Point]
    POINT_RESID_MID: _ClassVar[Point]
    POINT_RESID_POST: _ClassVar[Point]
    POINT_ATTN_OUT: _ClassVar[Point]
    POINT_MLP_OUT: _ClassVar[Point]

class StrengthUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRENGTH_UNIT_UNSPECIFIED: _ClassVar[StrengthUnit]
    STRENGTH_UNIT_RAW: _ClassVar[StrengthUnit]
    STRENGTH_UNIT_RELATIVE: _ClassVar[StrengthUnit]

class DType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    D_TYPE_UNSPECIFIED: _ClassVar[DType]
    D_TYPE_FLOAT32: _ClassVar[DType]

class FeatureMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEATURE_MODE_UNSPECIFIED: _ClassVar[FeatureMode]
    FEATURE_MODE_SET: _ClassVar[FeatureMode]
    FEATURE_MODE_SCALE: _ClassVar[FeatureMode]
    FEATURE_MODE_ADD: _ClassVar[FeatureMode]

class Phase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PHASE_UNSPECIFIED: _ClassVar[Phase]
    PHASE_PROMPT: _ClassVar[Phase]
    PHASE_GENERATED: _ClassVar[Phase]
    PHASE_DECODE: _ClassVar[Phase]
    PHASE_FIRST: _ClassVar[Phase]
    PHASE_ALL: _ClassVar[Phase]

class DecayShape(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECAY_SHAPE_UNSPECIFIED: _ClassVar[DecayShape]
    DECAY_SHAPE_LINEAR: _ClassVar[DecayShape]
    DECAY_SHAPE_EXPONENTIAL: _ClassVar[DecayShape]

class GateScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_SCOPE_UNSPECIFIED: _ClassVar[GateScope]
    GATE_SCOPE_PROMPT: _ClassVar[GateScope]
    GATE_SCOPE_TOKEN: _ClassVar[GateScope]
    GATE_SCOPE_LAST: _ClassVar[GateScope]
POINT_UNSPECIFIED: Point
POINT_RESID_PRE: Point
POINT_RESID_MID: Point
POINT_RESID_POST: Point
POINT_ATTN_OUT: Point
POINT_MLP_OUT: Point
STRENGTH_UNIT_UNSPECIFIED: StrengthUnit
STRENGTH_UNIT_RAW: StrengthUnit
STRENGTH_UNIT_RELATIVE: StrengthUnit
D_TYPE_UNSPECIFIED: DType
D_TYPE_FLOAT32: DType
FEATURE_MODE_UNSPECIFIED: FeatureMode
FEATURE_MODE_SET: FeatureMode
FEATURE_MODE_SCALE: FeatureMode
FEATURE_MODE_ADD: FeatureMode
PHASE_UNSPECIFIED: Phase
PHASE_PROMPT: Phase
PHASE_GENERATED: Phase
PHASE_DECODE: Phase
PHASE_FIRST: Phase
PHASE_ALL: Phase
DECAY_SHAPE_UNSPECIFIED: DecayShape
DECAY_SHAPE_LINEAR: DecayShape
DECAY_SHAPE_EXPONENTIAL: DecayShape
GATE_SCOPE_UNSPECIFIED: GateScope
GATE_SCOPE_PROMPT: GateScope
GATE_SCOPE_TOKEN: GateScope
GATE_SCOPE_LAST: GateScope

class Site(_message.Message):
    __slots__ = ("layer", "point")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    layer: int
    point: Point
    def __init__(self, layer: _Optional[int] = ..., point: _Optional[_Union[Point, str]] = ...) -> None: ...

class Strength(_message.Message):
    __slots__ = ("value", "unit")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    value: float
    unit: StrengthUnit
    def __init__(self, value: _Optional[float] = ..., unit: _Optional[_Union[StrengthUnit, str]] = ...) -> None: ...

class Tensor(_message.Message):
    __slots__ = ("shape", "dtype", "data")
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    dtype: DType
    data: bytes
    def __init__(self, shape: _Optional[_Iterable[int]] = ..., dtype: _Optional[_Union[DType, str]] = ..., data: _Optional[bytes] = ...) -> None: ...

class Direction(_message.Message):
    __slots__ = ("tensor", "site")
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    tensor: Tensor
    site: Site
    def __init__(self, tensor: _Optional[_Union[Tensor, _Mapping]] = ..., site: _Optional[_Union[Site, _Mapping]] = ...) -> None: ...

class InlineVector(_message.Message):
    __slots__ = ("directions",)
    DIRECTIONS_FIELD_NUMBER: _ClassVar[int]
    directions: _containers.RepeatedCompositeFieldContainer[Direction]
    def __init__(self, directions: _Optional[_Iterable[_Union[Direction, _Mapping]]] = ...) -> None: ...

class RandomLike(_message.Message):
    __slots__ = ("of", "seed")
    OF_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    of: Operand
    seed: int
    def __init__(self, of: _Optional[_Union[Operand, _Mapping]] = ..., seed: _Optional[int] = ...) -> None: ...

class OrthogonalTo(_message.Message):
    __slots__ = ("of", "to")
    OF_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    of: Operand
    to: Operand
    def __init__(self, of: _Optional[_Union[Operand, _Mapping]] = ..., to: _Optional[_Union[Operand, _Mapping]] = ...) -> None: ...

class WithinClass(_message.Message):
    __slots__ = ("of", "seed", "stratified")
    OF_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STRATIFIED_FIELD_NUMBER: _ClassVar[int]
    of: Operand
    seed: int
    stratified: bool
    def __init__(self, of: _Optional[_Union[Operand, _Mapping]] = ..., seed: _Optional[int] = ..., stratified: _Optional[bool] = ...) -> None: ...

class Operand(_message.Message):
    __slots__ = ("vector", "inline", "random_like", "orthogonal_to", "within_class", "expression")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_LIKE_FIELD_NUMBER: _ClassVar[int]
    ORTHOGONAL_TO_FIELD_NUMBER: _ClassVar[int]
    WITHIN_CLASS_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    vector: str
    inline: InlineVector
    random_like: RandomLike
    orthogonal_to: OrthogonalTo
    within_class: WithinClass
    expression: str
    def __init__(self, vector: _Optional[str] = ..., inline: _Optional[_Union[InlineVector, _Mapping]] = ..., random_like: _Optional[_Union[RandomLike, _Mapping]] = ..., orthogonal_to: _Optional[_Union[OrthogonalTo, _Mapping]] = ..., within_class: _Optional[_Union[WithinClass, _Mapping]] = ..., expression: _Optional[str] = ...) -> None: ...

class Add(_message.Message):
    __slots__ = ("operand",)
    OPERAND_FIELD_NUMBER: _ClassVar[int]
    operand: Operand
    def __init__(self, operand: _Optional[_Union[Operand, _Mapping]] = ...) -> None: ...

class Project(_message.Message):
    __slots__ = ("operand", "low", "high")
    OPERAND_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    operand: Operand
    low: float
    high: float
    def __init__(self, operand: _Optional[_Union[Operand, _Mapping]] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class Rotate(_message.Message):
    __slots__ = ("operand", "degrees")
    OPERAND_FIELD_NUMBER: _ClassVar[int]
    DEGREES_FIELD_NUMBER: _ClassVar[int]
    operand: Operand
    degrees: float
    def __init__(self, operand: _Optional[_Union[Operand, _Mapping]] = ..., degrees: _Optional[float] = ...) -> None: ...

class FeatureEdit(_message.Message):
    __slots__ = ("index", "value", "mode")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    index: int
    value: float
    mode: FeatureMode
    def __init__(self, index: _Optional[int] = ..., value: _Optional[float] = ..., mode: _Optional[_Union[FeatureMode, str]] = ...) -> None: ...

class Feature(_message.Message):
    __slots__ = ("dictionary", "edits")
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    dictionary: str
    edits: _containers.RepeatedCompositeFieldContainer[FeatureEdit]
    def __init__(self, dictionary: _Optional[str] = ..., edits: _Optional[_Iterable[_Union[FeatureEdit, _Mapping]]] = ...) -> None: ...

class LowRank(_message.Message):
    __slots__ = ("vector",)
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    vector: str
    def __init__(self, vector: _Optional[str] = ...) -> None: ...

class Replace(_message.Message):
    __slots__ = ("operand", "capture_id", "source_arm", "fraction", "source_position")
    OPERAND_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ARM_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_POSITION_FIELD_NUMBER: _ClassVar[int]
    operand: Operand
    capture_id: str
    source_arm: str
    fraction: float
    source_position: int
    def __init__(self, operand: _Optional[_Union[Operand, _Mapping]] = ..., capture_id: _Optional[str] = ..., source_arm: _Optional[str] = ..., fraction: _Optional[float] = ..., source_position: _Optional[int] = ...) -> None: ...

class PositionRange(_message.Message):
    __slots__ = ("start", "stop")
    START_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    start: int
    stop: int
    def __init__(self, start: _Optional[int] = ..., stop: _Optional[int] = ...) -> None: ...

class Marker(_message.Message):
    __slots__ = ("text", "regex", "until", "tokens")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REGEX_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    text: str
    regex: str
    until: str
    tokens: int
    def __init__(self, text: _Optional[str] = ..., regex: _Optional[str] = ..., until: _Optional[str] = ..., tokens: _Optional[int] = ...) -> None: ...

class Decay(_message.Message):
    __slots__ = ("shape", "tokens")
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    shape: DecayShape
    tokens: int
    def __init__(self, shape: _Optional[_Union[DecayShape, str]] = ..., tokens: _Optional[int] = ...) -> None: ...

class Where(_message.Message):
    __slots__ = ("phase", "ranges", "token_ids", "exclude_token_ids", "include_special_tokens", "markers", "every", "decay")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SPECIAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MARKERS_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    phase: Phase
    ranges: _containers.RepeatedCompositeFieldContainer[PositionRange]
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    exclude_token_ids: _containers.RepeatedScalarFieldContainer[int]
    include_special_tokens: bool
    markers: _containers.RepeatedCompositeFieldContainer[Marker]
    every: int
    decay: Decay
    def __init__(self, phase: _Optional[_Union[Phase, str]] = ..., ranges: _Optional[_Iterable[_Union[PositionRange, _Mapping]]] = ..., token_ids: _Optional[_Iterable[int]] = ..., exclude_token_ids: _Optional[_Iterable[int]] = ..., include_special_tokens: _Optional[bool] = ..., markers: _Optional[_Iterable[_Union[Marker, _Mapping]]] = ..., every: _Optional[int] = ..., decay: _Optional[_Union[Decay, _Mapping]] = ...) -> None: ...

class FeatureGate(_message.Message):
    __slots__ = ("dictionary", "index")
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    dictionary: str
    index: int
    def __init__(self, dictionary: _Optional[str] = ..., index: _Optional[int] = ...) -> None: ...

class Gate(_message.Message):
    __slots__ = ("cosine", "probe", "feature", "site", "threshold", "below", "scope", "absolute")
    COSINE_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    BELOW_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ABSOLUTE_FIELD_NUMBER: _ClassVar[int]
    cosine: Operand
    probe: str
    feature: FeatureGate
    site: Site
    threshold: float
    below: bool
    scope: GateScope
    absolute: bool
    def __init__(self, cosine: _Optional[_Union[Operand, _Mapping]] = ..., probe: _Optional[str] = ..., feature: _Optional[_Union[FeatureGate, _Mapping]] = ..., site: _Optional[_Union[Site, _Mapping]] = ..., threshold: _Optional[float] = ..., below: _Optional[bool] = ..., scope: _Optional[_Union[GateScope, str]] = ..., absolute: _Optional[bool] = ...) -> None: ...

class Intervention(_message.Message):
    __slots__ = ("add", "project", "rotate", "feature", "low_rank", "replace", "sites", "strength", "where", "gate", "keep_norm", "must_fire")
    ADD_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ROTATE_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    LOW_RANK_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    KEEP_NORM_FIELD_NUMBER: _ClassVar[int]
    MUST_FIRE_FIELD_NUMBER: _ClassVar[int]
    add: Add
    project: Project
    rotate: Rotate
    feature: Feature
    low_rank: LowRank
    replace: Replace
    sites: _containers.RepeatedCompositeFieldContainer[Site]
    strength: Strength
    where: Where
    gate: Gate
    keep_norm: bool
    must_fire: bool
    def __init__(self, add: _Optional[_Union[Add, _Mapping]] = ..., project: _Optional[_Union[Project, _Mapping]] = ..., rotate: _Optional[_Union[Rotate, _Mapping]] = ..., feature: _Optional[_Union[Feature, _Mapping]] = ..., low_rank: _Optional[_Union[LowRank, _Mapping]] = ..., replace: _Optional[_Union[Replace, _Mapping]] = ..., sites: _Optional[_Iterable[_Union[Site, _Mapping]]] = ..., strength: _Optional[_Union[Strength, _Mapping]] = ..., where: _Optional[_Union[Where, _Mapping]] = ..., gate: _Optional[_Union[Gate, _Mapping]] = ..., keep_norm: _Optional[bool] = ..., must_fire: _Optional[bool] = ...) -> None: ...
