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
from steer.specs import EvaluateSpec, Objective, RunSpec, SweepSpec, TrainSpec
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
    other = replace(spec, work=replace(spec.work, seed=spec.work.seed ^ 1))
    assert {wire.run_spec_hash(one) for one in (text, same, renamed)} == {wire.run_spec_hash(text)}
    assert wire.run_spec_hash(wire.run_spec_to_json(other)) != wire.run_spec_hash(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"extract": {}}',
        '{"distil": {}}',
        '{"evaluate": {"task_name": "a1", "n": 0}}',
        "{}",
    ],
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


@pytest.mark.parametrize(
    ("work", "names"),
    [
        (EvaluateSpec("a1", ()), ["n"]),
        (SweepSpec("a1", ()), ["select_n", "report_n"]),
        (TrainSpec("v", Objective.RLOO, "a1"), ["train_n", "select_n"]),
    ],
)
def test_a_count_that_nobody_asked_for_is_absent(work, names) -> None:
    """So that the server decides; the same number asked for is sent."""
    sent = getattr(wire.build_run_spec(RunSpec(work)), work.kind)
    asked = replace(work, **{name: int(getattr(work, name)) for name in names})
    given = getattr(wire.build_run_spec(RunSpec(asked)), work.kind)
    for name in names:
        assert not sent.HasField(name) and given.HasField(name)


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
    ({"task_name": "a1", "branching": pb.Branching(k=1)}, "branching.k"),
    ({"task_name": "a1", "revision": pb.Revision(stages=[9])}, "revision.stages[0]"),
    ({"task_name": "a1", "revision": pb.Revision(stages=[1, 1])}, "revision.stages"),
    ({"task_name": "a1", "revision": pb.Revision(critique_tokens=0)}, "revision.critique_tokens"),
    (
        {"task_name": "a1", "revision": pb.Revision(critique_template="{critique}")},
        "revision.critique_template",
    ),
    (
        {"task_name": "a1", "revision": pb.Revision(revise_template="{")},
        "revision.revise_template",
    ),
    ({"task_name": "a1", "arms": [pb.Arm(name="x"), pb.Arm(name="x")]}, "arms[1].name"),
]


@pytest.mark.parametrize(("fields", "path"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_what_is_wrong_is_told_with_its_field(fields: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_run_spec(pb.RunSpec(evaluate=pb.EvaluateSpec(**fields)))
    assert [one.field for one in caught.value.violations] == [f"spec.evaluate.{path}"]


SPAN = pb.Passage(prompt=pb.Prompt(text="a"), spans=[pb.TokenSpan(begin=2, end=2)])
SPANNED = pb.Passage(prompt=pb.Prompt(text="a"), spans=[pb.TokenSpan(begin=0, end=2)])
A1 = {"into": "x", "task_name": "a1"}
RL = {**A1, "objective": pb.OBJECTIVE_RLOO, "sites": [pb.Site(layer=1)]}
CE = {**RL, "objective": pb.OBJECTIVE_CROSS_ENTROPY}
SHOWN = pb.Demonstration(prompt=pb.Prompt(text="a"), target="b")
TEXT = pb.Passage(prompt=pb.Prompt(text="a"))
VARIED = {"task_name": "a1", "arms": [pb.Arm(name="x", recipes=["r"])]}
BAD_MAKINGS = [
    ("extract", {**A1, "into": ""}, "into"),
    ("extract", {"into": "x"}, "positive negative"),
    ("extract", {**A1, "positive": [TEXT]}, "positive"),
    ("extract", {"into": "x", "positive": [TEXT, pb.Passage()], "negative": [TEXT]},
     "positive[1].prompt"),
    ("extract", {"into": "x", "positive": [TEXT] * 2, "negative": [TEXT], "paired": True},
     "paired"),
    ("extract", {**A1, "paired": False}, "paired"),
    ("extract", {**A1, "n": 0}, "n"),
    ("extract", {**A1, "offset": 1}, "offset"),
    ("extract", {**A1, "scale": 0}, "scale"),
    ("extract", {**A1, "scale": float("inf")}, "scale"),
    ("extract", {**A1, "method": 9}, "method"),
    ("extract", {**A1, "event": "x"}, "event"),
    ("extract", {**A1, "read_at": pb.READ_AT_EVENT}, "event"),
    ("extract", {**A1, "offset": -5}, "offset"),
    ("extract", {"into": "x", "negative": [TEXT], "positive": [TEXT, SPANNED]},
     "positive[1].spans"),
    ("extract", {**A1, "as_probe": True}, "as_probe"),
    ("extract", {**A1, "sites": [pb.Site(layer=1)] * 2}, "sites"),
    (
        "extract",
        {"into": "x", "negative": [TEXT], "positive": [SPAN], "read_at": pb.READ_AT_SPANS},
        "positive[0].spans[0]",
    ),
    ("train", {**RL, "objective": 0}, "objective"),
    ("train", {**RL, "task_name": ""}, "task_name"),
    ("train", {name: RL[name] for name in ("into", "objective", "sites")}, "task_name"),
    ("train", {**RL, "sites": []}, "sites"),
    ("train", {**RL, "phase": pb.PHASE_PROMPT}, "phase"),
    ("train", {**RL, "demonstrations": [SHOWN]}, "demonstrations"),
    ("train", {**CE, "demonstrations": [pb.Demonstration(prompt=SHOWN.prompt)]},
     "demonstrations[0].target"),
    ("train", {**RL, "swapped": True}, "swapped"),
    ("train", {**RL, "teacher": 1.0}, "teacher"),
    ("train", {**RL, "enough": 0.9, "select_n": 0}, "enough"),
    ("train", {**RL, "enough": 1.1}, "enough"),
    *(
        ("train", {**RL, name: value}, name)
        for name, value in {
            "rate": 0.0, "steps": 0, "batch": 0, "group": 1, "temperature": 0.0, "max_tokens": 0,
            "kl": -1.0, "retain": float("nan"), "norm": -0.1, "patience": 0, "seed": 2**53,
        }.items()
    ),
    ("sweep", {**VARIED, "arms": []}, "arms"),
    ("sweep", {**VARIED, "arms": [pb.Arm(name="x")]}, "arms[0]"),
    ("sweep", {**VARIED, "layers": [1, 1]}, "layers"),
    ("sweep", {**VARIED, "points": [99]}, "points[0]"),
    ("sweep", {**VARIED, "strengths": [0.0]}, "strengths[0]"),
    ("sweep", {**VARIED, "select_n": 0}, "select_n"),
    ("sweep", {"arms": VARIED["arms"]}, "task_name"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "fields", "paths"), BAD_MAKINGS, ids=[str(i) for i in range(len(BAD_MAKINGS))]
)
def test_so_is_what_is_wrong_with_other_kinds(
    kind: str, fields: dict[str, object], paths: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_run_spec(pb.RunSpec(**{kind: fields}))
    told = [one.field for one in caught.value.violations]
    assert told == [f"spec.{kind}.{path}" for path in paths.split()]


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
    with pytest.raises(InvalidRequest, match="does not say what is done; give one of evaluate, "):
        wire.parse_run_spec(pb.RunSpec())
