"""Specs of training runs from what a caller gives."""

import json
from pathlib import Path

import pytest

from steer.client.trainings import make_training, read_demonstrations
from steer.errors import InvalidRequest
from steer.specs import Demonstration, Objective
from steer.types import Message, Phase, Point, Prompt, Site


def test_a_spec_says_what_was_asked_for() -> None:
    spec = make_training(
        "mine", task="a1", layers=[2, 3], point="mlp_out", sites=[1], where="all", enough=0.9
    )
    assert spec.objective is Objective.RLOO and spec.phase is Phase.ALL
    assert spec.sites == (Site(2, Point.MLP_OUT), Site(3, Point.MLP_OUT), Site(1))
    assert (spec.enough, spec.task, spec.demonstrations) == (0.9, "a1", ())


def test_demonstrations_come_in_several_forms() -> None:
    told = Demonstration(Prompt(token_ids=(1, 2)), "c")
    spec = make_training(
        "mine",
        objective="cross_entropy",
        demonstrations=[
            ("a", "b"),
            told,
            {"messages": [{"role": "user", "content": "x"}], "target": "y"},
        ],
        layers=[0],
    )
    chat = Prompt(messages=(Message("user", "x"),))
    assert spec.demonstrations == (
        Demonstration(Prompt("a"), "b"),
        told,
        Demonstration(chat, "y"),
    )


def test_demonstrations_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "shown.jsonl"
    lines = [{"prompt": "a", "target": "b"}, {"token_ids": [3], "target": "c"}]
    file.write_text("\n\n".join(map(json.dumps, lines)))
    assert read_demonstrations(file) == [
        Demonstration(Prompt("a"), "b"),
        Demonstration(Prompt(token_ids=(3,)), "c"),
    ]
    for bad in ("[1]", "{", '{"prompt": "a", "answer": "b"}'):
        file.write_text(f'{{"prompt": "a", "target": "b"}}\n{bad}\n')
        with pytest.raises(InvalidRequest, match="line 2"):
            read_demonstrations(file)
    with pytest.raises(InvalidRequest, match=r"none\.jsonl"):
        read_demonstrations(tmp_path / "none.jsonl")


def test_what_can_not_be_valid_is_told() -> None:
    with pytest.raises(TypeError, match="learning_rate"):
        make_training("mine", task="a1", layers=[0], learning_rate=1.0)
    for wrong in ({"objective": "ppo"}, {"where": "nowhere"}, {"rate": -1.0}, {"steps": 0}):
        with pytest.raises(InvalidRequest):
            make_training("mine", task="a1", layers=[0], **wrong)
    with pytest.raises(InvalidRequest, match="no demonstration"):
        make_training("mine", objective="cross_entropy", demonstrations=["a"], layers=[0])
