from steer.v1 import intervention_pb2 as _intervention_pb2
from steer.v1 import task_pb2 as _task_pb2
from steer.v1 import trial_pb2 as _trial_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SweepSpec(_message.Message):
    __slots__ = ("task_name", "inline_task", "arms", "layers", "points", "strengths", "select_n", "report_n", "random_seeds", "compare_modes", "sampling", "seed", "allow_model_mismatch")
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    INLINE_TASK_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    STRENGTHS_FIELD_NUMBER: _ClassVar[int]
    SELECT_N_FIELD_NUMBER: _ClassVar[int]
    REPORT_N_FIELD_NUMBER: _ClassVar[int]
    RANDOM_SEEDS_FIELD_NUMBER: _ClassVar[int]
    COMPARE_MODES_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MODEL_MISMATCH_FIELD_NUMBER: _ClassVar[int]
    task_name: str
    inline_task: _task_pb2.InlineTask
    arms: _containers.RepeatedCompositeFieldContainer[_trial_pb2.Arm]
    layers: _containers.RepeatedScalarFieldContainer[int]
    points: _containers.RepeatedScalarFieldContainer[_intervention_pb2.Point]
    strengths: _containers.RepeatedScalarFieldContainer[float]
    select_n: int
    report_n: int
    random_seeds: int
    compare_modes: bool
    sampling: _trial_pb2.Sampling
    seed: int
    allow_model_mismatch: bool
    def __init__(self, task_name: _Optional[str] = ..., inline_task: _Optional[_Union[_task_pb2.InlineTask, _Mapping]] = ..., arms: _Optional[_Iterable[_Union[_trial_pb2.Arm, _Mapping]]] = ..., layers: _Optional[_Iterable[int]] = ..., points: _Optional[_Iterable[_Union[_intervention_pb2.Point, str]]] = ..., strengths: _Optional[_Iterable[float]] = ..., select_n: _Optional[int] = ..., report_n: _Optional[int] = ..., random_seeds: _Optional[int] = ..., compare_modes: _Optional[bool] = ..., sampling: _Optional[_Union[_trial_pb2.Sampling, _Mapping]] = ..., seed: _Optional[int] = ..., allow_model_mismatch: _Optional[bool] = ...) -> None: ...
