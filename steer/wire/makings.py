"""Specs of runs that make vectors."""

import math
from collections.abc import Iterable

import steer.v1 as pb
from steer.specs import (
    Demonstration,
    ExtractMethod,
    ExtractSpec,
    Objective,
    Passage,
    ReadAt,
    TrainSpec,
)
from steer.types import Phase
from steer.wire.check import Check
from steer.wire.enums import EXTRACT_METHOD, OBJECTIVE, PHASE, POOLING, READ_AT
from steer.wire.operands import build_site, parse_sites
from steer.wire.scalars import EXACT, Scalars, anything, between, build_scalars, read_scalars
from steer.wire.tasks import build_task, read_task
from steer.wire.trials import MAX_SAMPLES, build_prompt, read_prompt
from steer.wire.where import build_where, parse_where

MOST = 1_000_000
_BATCH = 65_536
_EXTRACT: Scalars = {
    "n": between(1, MOST),
    "paired": anything,
    "offset": between(-1000, 0),
    "scale": lambda check, x: _factor(check, x),
    "seed": between(0, EXACT),
}
_TRAIN: Scalars = {
    "train_n": between(1, MOST),
    "steps": between(1, MOST),
    "batch": between(1, _BATCH),
    "group": between(2, MAX_SAMPLES),
    "rate": between(0, 1000, above=True),
    "temperature": between(0, 100, above=True),
    "max_tokens": between(1, 2**20),
    **{name: between(0, math.inf) for name in ("kl", "retain", "norm", "teacher")},
    "teacher_top_k": between(1, _BATCH),
    "select_n": between(0, MOST),
    "select_every": between(1, MOST),
    "enough": between(0, 1, above=True),
    "patience": between(1, MOST),
    "seed": between(0, EXACT),
}
_TRAINED_PHASES = (Phase.ALL, Phase.DECODE, Phase.GENERATED, Phase.FIRST)


def build_extract(spec: ExtractSpec) -> pb.ExtractSpec:
    """An extraction; every default is written out."""
    return pb.ExtractSpec(
        into=spec.into,
        positive=[_build_passage(one) for one in spec.positive],
        negative=[_build_passage(one) for one in spec.negative],
        method=EXTRACT_METHOD.build(spec.method),
        read_at=READ_AT.build(spec.read_at),
        event=spec.event,
        pooling=POOLING.build(spec.pooling),
        sites=[build_site(at) for at in spec.sites],
        normalise=spec.normalise,
        as_probe=spec.as_probe,
        where=None if spec.where is None else build_where(spec.where),
        description=spec.description,
        licence=spec.licence,
        **build_task(spec.task),
        **build_scalars(spec, _EXTRACT),
    )


def read_extract(message: pb.ExtractSpec, check: Check) -> ExtractSpec:
    """An extraction with every default filled in."""
    spec = ExtractSpec(
        into=check.at("into").require(message.into),
        positive=_read_passages(message.positive, check.at("positive")),
        negative=_read_passages(message.negative, check.at("negative")),
        task=read_task(message, message.WhichOneof("task"), check),
        method=EXTRACT_METHOD.parse(message.method, check.at("method")),
        read_at=READ_AT.parse(message.read_at, check.at("read_at")),
        event=message.event,
        pooling=POOLING.parse(message.pooling, check.at("pooling")),
        sites=parse_sites(message.sites, check),
        normalise=message.normalise,
        as_probe=message.as_probe,
        where=parse_where(message.where, check.at("where")) if message.HasField("where") else None,
        description=message.description,
        licence=message.licence,
        **read_scalars(message, _EXTRACT, check),
    )
    _judge_classes(spec, check)
    _judge_reading(spec, check)
    if spec.as_probe and spec.method is not ExtractMethod.PROBE:
        given = f"is for the method {ExtractMethod.PROBE.value}"
        check.at("as_probe").fail("CONTRADICTORY", given)
    return spec


def build_train(spec: TrainSpec) -> pb.TrainSpec:
    """A training; every default is written out."""
    scalars = build_scalars(spec, _TRAIN)
    if not spec.max_tokens:
        scalars.pop("max_tokens")
    return pb.TrainSpec(
        into=spec.into,
        objective=OBJECTIVE.build(spec.objective),
        demonstrations=[_build_demonstration(one) for one in spec.demonstrations],
        swapped=spec.swapped,
        sites=[build_site(at) for at in spec.sites],
        phase=PHASE.build(spec.phase),
        cosine=spec.cosine,
        description=spec.description,
        licence=spec.licence,
        **build_task(spec.task),
        **scalars,
    )


def read_train(message: pb.TrainSpec, check: Check) -> TrainSpec:
    """A training with every default filled in."""
    phase = PHASE.parse(message.phase, check.at("phase")) if message.phase else Phase.DECODE
    spec = TrainSpec(
        into=check.at("into").require(message.into),
        objective=OBJECTIVE.parse(message.objective, check.at("objective")),
        task=read_task(message, message.WhichOneof("task"), check),
        demonstrations=tuple(
            _read_demonstration(one, check.at("demonstrations", i))
            for i, one in enumerate(message.demonstrations)
        ),
        swapped=message.swapped,
        sites=parse_sites(message.sites, check),
        phase=phase,
        cosine=message.cosine,
        description=message.description,
        licence=message.licence,
        **read_scalars(message, _TRAIN, check),
    )
    if not spec.sites:
        check.at("sites").fail("REQUIRED", "is empty; give the sites of the vectors")
    if spec.phase not in _TRAINED_PHASES:
        valid = ", ".join(phase.value for phase in _TRAINED_PHASES)
        check.at("phase").fail("UNSUPPORTED", f"is {spec.phase.value}; give one of {valid}")
    _judge_data(spec, check)
    return spec


def _judge_classes(spec: ExtractSpec, check: Check) -> None:
    texts = {"positive": spec.positive, "negative": spec.negative}
    for name, passages in texts.items():
        if spec.task is None and not passages:
            check.at(name).fail("REQUIRED", "is empty; give texts of both classes, or a task")
        if spec.task is not None and passages:
            check.at(name).fail("CONTRADICTORY", "holds texts beside a task; give one of them")
    if spec.paired and len(spec.positive) != len(spec.negative):
        counts = f"{len(spec.positive)} texts and {len(spec.negative)} are no pairs"
        check.at("paired").fail("CONTRADICTORY", f"{counts}; give as many of each")
    if spec.task is not None and spec.paired is False:
        check.at("paired").fail("CONTRADICTORY", "is false; a task's prompts are pairs")


def _judge_reading(spec: ExtractSpec, check: Check) -> None:
    if (spec.read_at is ReadAt.EVENT) != bool(spec.event):
        given = f"goes with read_at = {ReadAt.EVENT.value}; give both or neither"
        check.at("event").fail("CONTRADICTORY", given)
    if spec.read_at is not ReadAt.EVENT and spec.offset != ExtractSpec("").offset:
        given = f"counts from an event, and read_at is {spec.read_at.value}"
        check.at("offset").fail("CONTRADICTORY", given)
    for name in ("positive", "negative") if spec.read_at is not ReadAt.SPANS else ():
        held = next((i for i, one in enumerate(getattr(spec, name)) if one.spans), None)
        if held is not None:
            given = f"are not read: read_at is {spec.read_at.value}"
            check.at(name, held).at("spans").fail("CONTRADICTORY", given)


def _judge_data(spec: TrainSpec, check: Check) -> None:
    imitates = spec.objective is Objective.CROSS_ENTROPY
    if spec.task is None and not (imitates and spec.demonstrations):
        what = "a task or demonstrations" if imitates else "a task, whose answers are rewarded"
        check.at("task_name").fail("REQUIRED", f"is empty; give {what}")
    if spec.demonstrations and not imitates:
        given = f"are for the objective {Objective.CROSS_ENTROPY.value}"
        check.at("demonstrations").fail("CONTRADICTORY", given)
    if spec.swapped and (not imitates or spec.demonstrations):
        check.at("swapped").fail("CONTRADICTORY", "swaps a task's traces, and none is imitated")
    if spec.teacher and (not imitates or spec.task is None):
        check.at("teacher").fail("CONTRADICTORY", "needs a task whose traces are imitated")
    if spec.task is None and spec.retain:
        check.at("retain").fail("CONTRADICTORY", "weighs what a task wants retained; give a task")
    if spec.enough is not None and not spec.select_n:
        check.at("enough").fail("CONTRADICTORY", "needs select_n above 0")


def _build_passage(passage: Passage) -> pb.Passage:
    return pb.Passage(
        prompt=build_prompt(passage.prompt),
        answer=passage.answer,
        spans=[pb.TokenSpan(begin=begin, end=end) for begin, end in passage.spans],
    )


def _read_passages(messages: Iterable[pb.Passage], check: Check) -> tuple[Passage, ...]:
    return tuple(_read_passage(one, check.item(i)) for i, one in enumerate(messages))


def _read_passage(message: pb.Passage, check: Check) -> Passage:
    for index, span in enumerate(message.spans):
        if span.begin >= span.end:
            given = f"is {span.begin} to {span.end}; give an end behind the begin"
            check.at("spans", index).fail("OUT_OF_RANGE", given)
    return Passage(
        prompt=read_prompt(message.prompt, check.at("prompt")),
        answer=message.answer,
        spans=tuple((span.begin, span.end) for span in message.spans),
    )


def _build_demonstration(shown: Demonstration) -> pb.Demonstration:
    return pb.Demonstration(prompt=build_prompt(shown.prompt), target=shown.target)


def _read_demonstration(message: pb.Demonstration, check: Check) -> Demonstration:
    prompt = read_prompt(message.prompt, check.at("prompt"))
    return Demonstration(prompt, check.at("target").require(message.target))


def _factor(check: Check, x: float) -> float:
    if x == 0:
        check.fail("OUT_OF_RANGE", "is 0; give another number")
    return check.finite(x)
