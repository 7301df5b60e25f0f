"""Specs of runs, and the JSON in which they are stored."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import Parse, ParseError

import steer.v1 as pb
from steer.errors import FailedPrecondition, InvalidRequest
from steer.specs import EvaluateSpec, ExtractSpec, RunSpec, SweepSpec, TrainSpec
from steer.wire.check import Check
from steer.wire.evaluations import build_evaluate, read_evaluate
from steer.wire.jsonform import digest, to_json
from steer.wire.makings import build_extract, build_train, read_extract, read_train
from steer.wire.sweeps import build_sweep, read_sweep

LONGEST_NAME = 200


@dataclass(frozen=True)
class _Form:
    """One member of the oneof ``kind``."""

    build: Callable[[Any], Any]
    read: Callable[[Any, Check], Any]


_KINDS: Mapping[str, _Form] = {
    EvaluateSpec.kind: _Form(build_evaluate, read_evaluate),
    ExtractSpec.kind: _Form(build_extract, read_extract),
    TrainSpec.kind: _Form(build_train, read_train),
    SweepSpec.kind: _Form(build_sweep, read_sweep),
}


def build_run_spec(spec: RunSpec) -> pb.RunSpec:
    """The spec of a run; every default is written out."""
    kind = spec.work.kind
    return pb.RunSpec(name=spec.name, **{kind: _KINDS[kind].build(spec.work)})


def read_run_spec(message: pb.RunSpec, check: Check) -> RunSpec:
    """The spec of a run with every default filled in."""
    if len(message.name) > LONGEST_NAME:
        given = f"has {len(message.name)} characters; give at most {LONGEST_NAME}"
        check.at("name").fail("TOO_LONG", given)
    kind = message.WhichOneof("kind")
    if kind is None:
        check.fail("REQUIRED", f"does not say what is done; give one of {', '.join(_KINDS)}")
        return RunSpec(EvaluateSpec("", ()), message.name)
    return RunSpec(_KINDS[kind].read(getattr(message, kind), check.at(kind)), message.name)


def run_spec_to_json(spec: RunSpec) -> str:
    """A spec as it is stored."""
    return to_json(build_run_spec(spec))


def run_spec_from_json(text: str) -> RunSpec:
    """A stored spec. Raises FailedPrecondition when this version can not read it."""
    check = Check.begin("spec")
    try:
        spec = read_run_spec(Parse(text, pb.RunSpec()), check)
        check.found.raise_if_any()
        return spec
    except (ParseError, InvalidRequest) as error:
        message = f"the stored spec can not be read, another version wrote it: {error}"
        raise FailedPrecondition(message, reason="SPEC_UNREADABLE") from error


def run_spec_hash(text: str) -> str:
    """The digest of what a stored spec does, whatever its name for people."""
    return digest({key: value for key, value in json.loads(text).items() if key != "name"})
