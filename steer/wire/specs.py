"""Specs of runs, and the JSON in which they are stored."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.json_format import Parse, ParseError

import steer.v1 as pb
from steer.errors import FailedPrecondition, InvalidRequest
from steer.specs import EvaluateSpec, Extractor, InlineTask, RunSpec
from steer.wire.check import Check
from steer.wire.enums import CONTROLS, EXTRACTOR
from steer.wire.jsonform import digest, to_json
from steer.wire.sampling import build_sampling, parse_sampling
from steer.wire.trials import MAX_SAMPLES, build_arm, read_arms

LONGEST_NAME = 200
LONGEST_TASK_NAME = 80
_EXACT = 2**53 - 1

# Scalars with presence, and what is asked of a given value.
_SCALARS: Mapping[str, Callable[[Check, Any], Any]] = {
    "n": lambda check, x: check.within(x, 1, 1_000_000),
    "samples": lambda check, x: check.within(x, 1, MAX_SAMPLES),
    "seed": lambda check, x: check.within(x, 0, _EXACT),
    "random_seeds": lambda check, x: check.within(x, 20, 10_000),
    "measure": lambda check, x: x,
}


def build_run_spec(spec: RunSpec) -> pb.RunSpec:
    """The spec of a run; every default is written out."""
    return pb.RunSpec(name=spec.name, evaluate=_build_evaluate(spec.work))


def read_run_spec(message: pb.RunSpec, check: Check) -> RunSpec:
    """The spec of a run with every default filled in."""
    if len(message.name) > LONGEST_NAME:
        given = f"has {len(message.name)} characters; give at most {LONGEST_NAME}"
        check.at("name").fail("TOO_LONG", given)
    if message.WhichOneof("kind") is None:
        check.fail("REQUIRED", "does not say what is done; give evaluate")
        return RunSpec(EvaluateSpec("", ()), message.name)
    return RunSpec(_read_evaluate(message.evaluate, check.at("evaluate")), message.name)


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


def _build_evaluate(spec: EvaluateSpec) -> pb.EvaluateSpec:
    sampling = build_sampling(spec.sampling)
    if not spec.sampling.max_tokens:
        sampling.ClearField("max_tokens")
    message = pb.EvaluateSpec(
        arms=[build_arm(arm) for arm in spec.arms],
        subject=spec.subject,
        controls=CONTROLS.build(spec.controls),
        split=spec.split,
        sampling=sampling,
        strengths=spec.strengths,
        ceiling=spec.ceiling,
        allow_model_mismatch=spec.allow_model_mismatch,
        **{name: getattr(spec, name) for name in _SCALARS},
    )
    if isinstance(spec.task, str):
        message.task_name = spec.task
    else:
        message.inline_task.CopyFrom(_build_task(spec.task))
    return message


def _read_evaluate(message: pb.EvaluateSpec, check: Check) -> EvaluateSpec:
    default = EvaluateSpec("", ())
    scalars = {
        name: accept(check.at(name), getattr(message, name))
        for name, accept in _SCALARS.items()
        if message.HasField(name)
    }
    strengths = check.at("strengths").distinct(message.strengths, "holds a number twice; give one")
    for index, factor in enumerate(strengths):
        check.at("strengths", index).finite(factor)
    return EvaluateSpec(
        task=_read_task(message, check),
        arms=read_arms(message.arms, check),
        subject=message.subject,
        controls=CONTROLS.parse(message.controls, check.at("controls")),
        split=message.split or default.split,
        sampling=parse_sampling(message.sampling, check.at("sampling"), default.sampling),
        strengths=strengths,
        ceiling=message.ceiling,
        allow_model_mismatch=message.allow_model_mismatch,
        **scalars,
    )


def _read_task(message: pb.EvaluateSpec, check: Check) -> str | InlineTask:
    match message.WhichOneof("task"):
        case "task_name":
            return check.at("task_name").require(message.task_name)
        case "inline_task":
            return _read_inline(message.inline_task, check.at("inline_task"))
    check.at("task_name").fail("REQUIRED", "is empty; give task_name or inline_task")
    return ""


def _build_task(task: InlineTask) -> pb.InlineTask:
    return pb.InlineTask(
        name=task.name,
        jsonl=task.jsonl,
        extractor=EXTRACTOR.build(task.extractor),
        pattern=task.pattern,
    )


def _read_inline(message: pb.InlineTask, check: Check) -> InlineTask:
    if len(check.at("name").require(message.name)) > LONGEST_TASK_NAME:
        given = f"has {len(message.name)} characters; give at most {LONGEST_TASK_NAME}"
        check.at("name").fail("TOO_LONG", given)
    task = InlineTask(
        name=message.name,
        jsonl=check.at("jsonl").require(message.jsonl),
        extractor=EXTRACTOR.parse(message.extractor, check.at("extractor")),
        pattern=message.pattern,
    )
    if task.extractor is Extractor.REGEX:
        check.at("pattern").require(task.pattern)
    elif task.pattern:
        given = f"is for the extractor {Extractor.REGEX.value}; leave it out, or say so"
        check.at("pattern").fail("CONTRADICTORY", given)
    return task
