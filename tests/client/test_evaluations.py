"""Specs of evaluations as callers write them."""

from pathlib import Path

import pytest

import steer
from steer.client.evaluations import jsonl_task, make_evaluation
from steer.client.run_table import records
from steer.errors import InvalidRequest
from steer.specs import Controls, EvaluateSpec, Extractor, InlineTask, UnitResult
from steer.types import Arm, Sampling


def test_a_single_intervention_is_the_steered_arm():
    spec = make_evaluation("a1", steer.add("v"), arms={"plain": steer.arm(prompt="x")})
    assert [arm.name for arm in spec.arms] == ["steered", "plain"]
    assert make_evaluation("a1") == EvaluateSpec("a1", ())


def test_options_go_where_they_belong():
    spec = make_evaluation(
        "a1",
        steer.add("v"),
        controls="standard",
        strengths=[0.5, 2],
        n=10,
        seed=7,
        temperature=0.5,
        stop="\n",
        ceiling="best",
        arms={"best": steer.add("w")},
    )
    assert spec.controls is Controls.STANDARD
    assert spec.strengths == (0.5, 2.0)
    assert (spec.n, spec.seed, spec.ceiling) == (10, 7, "best")
    assert spec.sampling == Sampling(temperature=0.5, stop=("\n",), max_tokens=0)
    assert make_evaluation("a1", max_tokens=5).sampling.max_tokens == 5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n": 0}, "spec.evaluate.n"),
        ({"strengths": [1, 1]}, "spec.evaluate.strengths"),
        ({"controls": "all"}, "'all' is no controls; give one of none, standard"),
        ({"n": "many"}, "can not be sent"),
    ],
)
def test_what_can_not_be_valid_is_told_without_a_server(options: dict[str, object], says: str):
    with pytest.raises(InvalidRequest, match=says):
        make_evaluation("a1", **options)


def test_unknown_options_are_a_type_error():
    with pytest.raises(TypeError, match=r"unknown option 'temprature'; have .*controls"):
        make_evaluation("a1", temprature=1)


def test_a_task_of_ones_own(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text('{"prompt": "ü", "answer": "1"}\n', "utf-8")
    task = jsonl_task(file, extractor="regex", pattern="([0-9])")
    assert task == InlineTask("mine", file.read_text("utf-8"), Extractor.REGEX, "([0-9])")
    assert jsonl_task(file, name="other").name == "other"
    assert make_evaluation(task).task == task
    with pytest.raises(InvalidRequest, match="task file"):
        jsonl_task(tmp_path / "none.jsonl")
    with pytest.raises(InvalidRequest, match="is no extractor"):
        jsonl_task(file, extractor="last")
    file.write_bytes(b"\xff")
    with pytest.raises(InvalidRequest, match="task file"):
        jsonl_task(file)


def test_records_of_results():
    found = [
        UnitResult("a", 1, {"records": [{"x": 1}, {"x": 2}], "more": 3}),
        UnitResult("b", 2, {"more": 3}),
    ]
    assert records(found) == [{"unit": "a", "x": 1}, {"unit": "a", "x": 2}]


def test_an_arm_keeps_its_form():
    spec = make_evaluation("a1", steer.arm(forced_prefix="x"))
    assert spec.arms == (Arm("steered", forced_prefix=steer.arm(forced_prefix="x").forced_prefix),)
