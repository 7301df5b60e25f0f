import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from steer.v1 import making_pb2 as _making_pb2
from steer.v1 import sweep_pb2 as _sweep_pb2
from steer.v1 import task_pb2 as _task_pb2
from steer.v1 import trial_pb2 as _trial_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RevisionStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVISION_STAGE_UNSPECIFIED: _ClassVar[RevisionStage]
    REVISION_STAGE_ANSWER: _ClassVar[RevisionStage]
    REVISION_STAGE_CRITIQUE: _ClassVar[RevisionStage]
    REVISION_STAGE_REVISE: _ClassVar[RevisionStage]

class Controls(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTROLS_UNSPECIFIED: _ClassVar[Controls]
    CONTROLS_NONE: _ClassVar[Controls]
    CONTROLS_STANDARD: _ClassVar[Controls]

class RunState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATE_UNSPECIFIED: _ClassVar[RunState]
    RUN_STATE_QUEUED: _ClassVar[RunState]
    RUN_STATE_RUNNING: _ClassVar[RunState]
    RUN_STATE_SUCCEEDED: _ClassVar[RunState]
    RUN_STATE_FAILED: _ClassVar[RunState]
    RUN_STATE_CANCELLED: _ClassVar[RunState]
REVISION_STAGE_UNSPECIFIED: RevisionStage
REVISION_STAGE_ANSWER: RevisionStage
REVISION_STAGE_CRITIQUE: RevisionStage
REVISION_STAGE_REVISE: RevisionStage
CONTROLS_UNSPECIFIED: Controls
CONTROLS_NONE: Controls
CONTROLS_STANDARD: Controls
RUN_STATE_UNSPECIFIED: RunState
RUN_STATE_QUEUED: RunState
RUN_STATE_RUNNING: RunState
RUN_STATE_SUCCEEDED: RunState
RUN_STATE_FAILED: RunState
RUN_STATE_CANCELLED: RunState

class Revision(_message.Message):
    __slots__ = ("stages", "critique_template", "revise_template", "critique_tokens")
    STAGES_FIELD_NUMBER: _ClassVar[int]
    CRITIQUE_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    REVISE_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    CRITIQUE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    stages: _containers.RepeatedScalarFieldContainer[RevisionStage]
    critique_template: str
    revise_template: str
    critique_tokens: int
    def __init__(self, stages: _Optional[_Iterable[_Union[RevisionStage, str]]] = ..., critique_template: _Optional[str] = ..., revise_template: _Optional[str] = ..., critique_tokens: _Optional[int] = ...) -> None: ...

class EvaluateSpec(_message.Message):
    __slots__ = ("task_name", "inline_task", "arms", "subject", "controls", "split", "n", "samples", "sampling", "seed", "random_seeds", "strengths", "ceiling", "measure", "allow_model_mismatch", "swapped_target", "untaught", "branching", "revision")
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    INLINE_TASK_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    RANDOM_SEEDS_FIELD_NUMBER: _ClassVar[int]
    STRENGTHS_FIELD_NUMBER: _ClassVar[int]
    CEILING_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MODEL_MISMATCH_FIELD_NUMBER: _ClassVar[int]
    SWAPPED_TARGET_FIELD_NUMBER: _ClassVar[int]
    UNTAUGHT_FIELD_NUMBER: _ClassVar[int]
    BRANCHING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    task_name: str
    inline_task: _task_pb2.InlineTask
    arms: _containers.RepeatedCompositeFieldContainer[_trial_pb2.Arm]
    subject: str
    controls: Controls
    split: str
    n: int
    samples: int
    sampling: _trial_pb2.Sampling
    seed: int
    random_seeds: int
    strengths: _containers.RepeatedScalarFieldContainer[float]
    ceiling: str
    measure: bool
    allow_model_mismatch: bool
    swapped_target: str
    untaught: str
    branching: _trial_pb2.Branching
    revision: Revision
    def __init__(self, task_name: _Optional[str] = ..., inline_task: _Optional[_Union[_task_pb2.InlineTask, _Mapping]] = ..., arms: _Optional[_Iterable[_Union[_trial_pb2.Arm, _Mapping]]] = ..., subject: _Optional[str] = ..., controls: _Optional[_Union[Controls, str]] = ..., split: _Optional[str] = ..., n: _Optional[int] = ..., samples: _Optional[int] = ..., sampling: _Optional[_Union[_trial_pb2.Sampling, _Mapping]] = ..., seed: _Optional[int] = ..., random_seeds: _Optional[int] = ..., strengths: _Optional[_Iterable[float]] = ..., ceiling: _Optional[str] = ..., measure: _Optional[bool] = ..., allow_model_mismatch: _Optional[bool] = ..., swapped_target: _Optional[str] = ..., untaught: _Optional[str] = ..., branching: _Optional[_Union[_trial_pb2.Branching, _Mapping]] = ..., revision: _Optional[_Union[Revision, _Mapping]] = ...) -> None: ...

class RunSpec(_message.Message):
    __slots__ = ("name", "evaluate", "extract", "train", "sweep")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_FIELD_NUMBER: _ClassVar[int]
    EXTRACT_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    SWEEP_FIELD_NUMBER: _ClassVar[int]
    name: str
    evaluate: EvaluateSpec
    extract: _making_pb2.ExtractSpec
    train: _making_pb2.TrainSpec
    sweep: _sweep_pb2.SweepSpec
    def __init__(self, name: _Optional[str] = ..., evaluate: _Optional[_Union[EvaluateSpec, _Mapping]] = ..., extract: _Optional[_Union[_making_pb2.ExtractSpec, _Mapping]] = ..., train: _Optional[_Union[_making_pb2.TrainSpec, _Mapping]] = ..., sweep: _Optional[_Union[_sweep_pb2.SweepSpec, _Mapping]] = ...) -> None: ...

class RunFailure(_message.Message):
    __slots__ = ("code", "reason", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    reason: str
    message: str
    def __init__(self, code: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ("id", "name", "kind", "state", "spec", "spec_hash", "model", "fingerprint", "sequence", "total", "done", "attempts", "cancelling", "created", "started", "ended", "failure", "warnings")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    SPEC_HASH_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CANCELLING_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    kind: str
    state: RunState
    spec: RunSpec
    spec_hash: str
    model: str
    fingerprint: str
    sequence: int
    total: int
    done: int
    attempts: int
    cancelling: bool
    created: _timestamp_pb2.Timestamp
    started: _timestamp_pb2.Timestamp
    ended: _timestamp_pb2.Timestamp
    failure: RunFailure
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[str] = ..., state: _Optional[_Union[RunState, str]] = ..., spec: _Optional[_Union[RunSpec, _Mapping]] = ..., spec_hash: _Optional[str] = ..., model: _Optional[str] = ..., fingerprint: _Optional[str] = ..., sequence: _Optional[int] = ..., total: _Optional[int] = ..., done: _Optional[int] = ..., attempts: _Optional[int] = ..., cancelling: _Optional[bool] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., started: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., failure: _Optional[_Union[RunFailure, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateRunRequest(_message.Message):
    __slots__ = ("spec", "run_id")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    spec: RunSpec
    run_id: str
    def __init__(self, spec: _Optional[_Union[RunSpec, _Mapping]] = ..., run_id: _Optional[str] = ...) -> None: ...

class CreateRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class GetRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class GetRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "kind", "states")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    kind: str
    states: _containers.RepeatedScalarFieldContainer[RunState]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kind: _Optional[str] = ..., states: _Optional[_Iterable[_Union[RunState, str]]] = ...) -> None: ...

class ListRunsResponse(_message.Message):
    __slots__ = ("runs", "next_page_token")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[Run]
    next_page_token: str
    def __init__(self, runs: _Optional[_Iterable[_Union[Run, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchRunRequest(_message.Message):
    __slots__ = ("run_id", "after_sequence", "results")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    after_sequence: int
    results: bool
    def __init__(self, run_id: _Optional[str] = ..., after_sequence: _Optional[int] = ..., results: _Optional[bool] = ...) -> None: ...

class UnitResult(_message.Message):
    __slots__ = ("key", "sequence", "result_json")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESULT_JSON_FIELD_NUMBER: _ClassVar[int]
    key: str
    sequence: int
    result_json: str
    def __init__(self, key: _Optional[str] = ..., sequence: _Optional[int] = ..., result_json: _Optional[str] = ...) -> None: ...

class WatchRunResponse(_message.Message):
    __slots__ = ("sequence", "run", "results")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    run: Run
    results: _containers.RepeatedCompositeFieldContainer[UnitResult]
    def __init__(self, sequence: _Optional[int] = ..., run: _Optional[_Union[Run, _Mapping]] = ..., results: _Optional[_Iterable[_Union[UnitResult, _Mapping]]] = ...) -> None: ...

class CancelRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class CancelRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class DeleteRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class DeleteRunResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetReportRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class GetReportResponse(_message.Message):
    __slots__ = ("run", "report_json")
    RUN_FIELD_NUMBER: _ClassVar[int]
    REPORT_JSON_FIELD_NUMBER: _ClassVar[int]
    run: Run
    report_json: str
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ..., report_json: _Optional[str] = ...) -> None: ...
