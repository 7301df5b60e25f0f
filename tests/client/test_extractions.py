"""Specs of extractions as callers write them."""

from pathlib import Path

import pytest

import steer
from steer.client.extractions import make_extraction, passage, read_passages
from steer.errors import InvalidRequest
from steer.specs import ExtractMethod, ExtractSpec, Passage, Pooling, ReadAt
from steer.types import Message, Phase, Point, Prompt, Site, Where

MANY = [{"role": "user", "content": "hi"}]


def text(prompt: str, answer: str = "") -> Passage:
    return Passage(Prompt(prompt), answer)


def test_texts_come_in_every_form_of_a_prompt():
    given = ["a", [1, 2], MANY, text("b"), {"prompt": "c", "answer": "d", "spans": [[0, 2]]}]
    spec = make_extraction("x", positive=given, negative=[{"messages": MANY}], read_at="spans")
    assert spec.positive == (
        text("a"),
        Passage(Prompt(token_ids=(1, 2))),
        Passage(Prompt(messages=(Message("user", "hi"),))),
        text("b"),
        Passage(Prompt("c"), "d", ((0, 2),)),
    )
    assert spec.negative == (Passage(Prompt(messages=(Message("user", "hi"),))),)


def test_cues_go_around_prompts_and_make_pairs():
    spec = make_extraction("x", prompts=["1+1", "2+2"], cues=("Think. {}", "{}"))
    assert spec.positive == (text("Think. 1+1"), text("Think. 2+2"))
    assert spec.negative == (text("1+1"), text("2+2"))
    assert spec.paired is True and spec.pairs


def test_options_go_where_they_belong():
    spec = make_extraction(
        "x",
        task="a1",
        n=20,
        method="lda",
        read_at="event",
        event="Wait",
        offset=-3,
        pooling="token",
        layers=[1],
        point="mlp_out",
        sites=[(2, "attn_out"), steer.Site(0)],
        where="decode",
        scale=2.0,
        description="d",
    )
    assert spec == ExtractSpec(
        "x",
        task="a1",
        n=20,
        method=ExtractMethod.LDA,
        read_at=ReadAt.EVENT,
        event="Wait",
        offset=-3,
        pooling=Pooling.TOKEN,
        sites=(Site(1, Point.MLP_OUT), Site(2, Point.ATTN_OUT), Site(0)),
        where=Where(Phase.DECODE),
        scale=2.0,
        description="d",
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "spec.extract.positive"),
        ({"task": "a1", "layers": [-1]}, "layer -1: layers are counted from the first"),
        ({"positive": [{"prompt": "a", "spans": [(-2, 1)]}]}, "spans count from 0"),
        ({"task": "a1", "n": 0}, "spec.extract.n"),
        ({"task": "a1", "method": "magic"}, "'magic' is no extractmethod; give one of"),
        ({"task": "a1", "positive": ["a"]}, "spec.extract.positive"),
        ({"prompts": ["a"]}, "prompts go with cues"),
        ({"prompts": ["a"], "cues": ("b {}", "c")}, "the cue 'c' has no {}"),
        ({"positive": ["a"], "cues": ("b {}", "{}")}, "cues go around prompts"),
        ({"positive": [{"text": "a"}]}, "a text has prompt"),
        ({"positive": [{"prompt": "a", "token_ids": [1]}]}, "exactly one of"),
        ({"positive": [{"prompt": "a", "spans": [1]}]}, "can not be sent"),
        ({"task": "a1", "scale": 0}, "spec.extract.scale"),
    ],
)
def test_what_can_not_be_valid_is_told_without_a_server(options: dict[str, object], says: str):
    with pytest.raises(InvalidRequest, match=says):
        make_extraction("x", **options)


def test_unknown_options_are_a_type_error():
    with pytest.raises(TypeError, match="layer"):
        make_extraction("x", task="a1", layer=1)


def test_files_of_lines_and_of_objects(tmp_path: Path):
    lines, objects = tmp_path / "a.txt", tmp_path / "a.jsonl"
    lines.write_text("one\r\n\n two\n")
    objects.write_text('{"prompt": "p", "answer": "q"}\n\n"r"\n{"token_ids": [3]}\n')
    assert read_passages(lines) == [text("one"), text(" two")]
    assert read_passages(objects) == [
        text("p", "q"),
        text("r"),
        Passage(Prompt(token_ids=(3,))),
    ]
    assert passage("x") == text("x")


@pytest.mark.parametrize("line", ["{", "[1]", '{"prompts": "a"}', "[" * 10**5])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str):
    file = tmp_path / "a.jsonl"
    file.write_text(f'"fine"\n{line}\n')
    with pytest.raises(InvalidRequest, match=r"a\.jsonl, line 2"):
        read_passages(file)
    with pytest.raises(InvalidRequest, match="nothing"):
        read_passages(tmp_path / "nothing")
