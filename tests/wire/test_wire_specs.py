"""Specs of runs: stored as JSON exactly, hashed by what they do, judged with field paths."""

import json
from dataclasses import replace

import pytest
import run_strategies as r
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import steer.v1 as pb
from steer import wire
from steer.errors import FailedPrecondition, InvalidRequest
from steer.specs import EvaluateSpec, RunSpec
from steer.types import Sampling

MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@given(r.run_specs)
@MANY
def test_there_and_back(spec: RunSpec) -> None:
    assert wire.run_spec_from_json(wire.run_spec_to_json(spec)) == spec


@given(r.run_specs, st.text(max_size=4))
@MANY
def test_the_hash_is_of_what_is_done(spec: RunSpec, name: str) -> None:
    text = wire.run_spec_to_json(spec)
    same = json.dumps(dict(reversed(json.loads(text).items())))
    renamed = wire.run_spec_to_json(replace(spec, name=name))
    other = replace(spec, work=replace(spec.work, n=spec.work.n % 1_000_000 + 1))
    assert {wire.run_spec_hash(one) for one in (text, same, renamed)} == {wire.run_spec_hash(text)}
    assert wire.run_spec_hash(wire.run_spec_to_json(other)) != wire.run_spec_hash(text)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"extract": {}}', '{"evaluate": {"task_name": "a1", "n": 0}}', "{}"]
)
def test_a_spec_of_another_version_is_told_as_such(text: str) -> None:
    with pytest.raises(FailedPrecondition, match="another version wrote it") as caught:
        wire.run_spec_from_json(text)
    assert caught.value.reason == "SPEC_UNREADABLE"


def test_defaults() -> None:
    spec = wire.parse_run_spec(pb.RunSpec(evaluate=pb.EvaluateSpec(task_name="a1")))
    assert spec == RunSpec(EvaluateSpec("a1", ()))
    sampling = pb.Sampling(temperature=0.5, min_tokens=200)
    task = pb.EvaluateSpec(task_name="a1", sampling=sampling)
    work = wire.parse_run_spec(pb.RunSpec(evaluate=task)).work
    assert work.sampling == Sampling(temperature=0.5, min_tokens=200, max_tokens=0)


INLINE = {"name": "t", "jsonl": "{}"}
BAD = [
    ({}, "task_name"),
    ({"task_name": ""}, "task_name"),
    ({"inline_task": pb.InlineTask(**{**INLINE, "name": ""})}, "inline_task.name"),
    ({"inline_task": pb.InlineTask(**{**INLINE, "name": "x" * 81})}, "inline_task.name"),
    ({"inline_task": pb.InlineTask(**{**INLINE, "jsonl": ""})}, "inline_task.jsonl"),
    ({"inline_task": pb.InlineTask(**INLINE, extractor=99)}, "inline_task.extractor"),
    ({"inline_task": pb.InlineTask(**INLINE, pattern="x")}, "inline_task.pattern"),
    (
        {"inline_task": pb.InlineTask(**INLINE, extractor=pb.EXTRACTOR_REGEX)},
        "inline_task.pattern",
    ),
    ({"task_name": "a1", "n": 0}, "n"),
    ({"task_name": "a1", "n": 1_000_001}, "n"),
    ({"task_name": "a1", "samples": 0}, "samples"),
    ({"task_name": "a1", "seed": 2**53}, "seed"),
    ({"task_name": "a1", "random_seeds": 19}, "random_seeds"),
    ({"task_name": "a1", "controls": 9}, "controls"),
    ({"task_name": "a1", "strengths": [1.0, 1.0]}, "strengths"),
    ({"task_name": "a1", "strengths": [1.0, float("nan")]}, "strengths[1]"),
    ({"task_name": "a1", "sampling": pb.Sampling(max_tokens=0)}, "sampling.max_tokens"),
    ({"task_name": "a1", "arms": [pb.Arm(name="baseline")]}, "arms[0].name"),
    ({"task_name": "a1", "arms": [pb.Arm(name="x"), pb.Arm(name="x")]}, "arms[1].name"),
]


@pytest.mark.parametrize(("fields", "path"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_what_is_wrong_is_told_with_its_field(fields: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_run_spec(pb.RunSpec(evaluate=pb.EvaluateSpec(**fields)))
    assert [one.field for one in caught.value.violations] == [f"spec.evaluate.{path}"]


def test_everything_wrong_is_told_at_once() -> None:
    message = pb.RunSpec(name="x" * 201, evaluate=pb.EvaluateSpec(n=0, samples=5000))
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_run_spec(message)
    fields = {one.field for one in caught.value.violations}
    assert fields == {
        "spec.name",
        *(f"spec.evaluate.{name}" for name in ("n", "samples", "task_name")),
    }


def test_a_spec_that_says_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="spec: does not say what is done; give evaluate"):
        wire.parse_run_spec(pb.RunSpec())
