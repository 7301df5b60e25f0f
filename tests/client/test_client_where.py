"""Where, as a caller writes it."""

import pytest

import steer
from steer import types as t


def test_a_phase_and_conditions():
    assert steer.where() == t.Where()
    assert steer.where("decode") == t.Where(t.Phase.DECODE)
    assert steer.where("prompt", ranges=[(-5, None), t.Range(0, 2)]) == t.Where(
        t.Phase.PROMPT, ranges=(t.Range(-5, None), t.Range(0, 2))
    )
    assert steer.where(
        token_ids=range(2), exclude_token_ids=[3], include_special_tokens=True, every=2
    ) == t.Where(token_ids=(0, 1), exclude_token_ids=(3,), include_special_tokens=True, every=2)


def test_markers():
    think = t.Marker("<think>", until="</think>")
    assert steer.where(after="<think>", until="</think>").markers == (think,)
    assert steer.where(regex=r"\n\n", window=5).markers == (t.Marker(regex=r"\n\n", tokens=5),)
    assert steer.where(markers=[think], after="Wait").markers == (think, t.Marker("Wait"))


def test_decay():
    decay = t.Decay(t.DecayShape.LINEAR, 16)
    assert steer.where(decay=("linear", 16)).decay == steer.where(decay=decay).decay == decay


def test_a_ready_where_can_be_gone_on_from():
    base = steer.where("decode", token_ids=[3])
    assert steer.where(base, every=2) == t.Where(t.Phase.DECODE, token_ids=(3,), every=2)
    assert steer.where(base) == base


@pytest.mark.parametrize(
    "conditions",
    [
        {"phase": "later"},
        {"every": 0},
        {"every": "second"},
        {"ranges": [3]},
        {"ranges": [(1, 2, 3)]},
        {"ranges": [(2, 2)]},
        {"token_ids": 3},
        {"token_ids": [-1]},
        {"token_ids": "abc"},
        {"until": "</think>"},
        {"window": 3},
        {"after": "a", "regex": "b"},
        {"after": "a", "window": 0},
        {"markers": [t.Marker()]},
        {"markers": ["<think>"]},
        {"decay": ("slow", 3)},
        {"decay": ("linear", 0)},
        {"decay": 3},
    ],
)
def test_nonsense_is_refused_at_once(conditions):
    with pytest.raises(steer.InvalidRequest):
        steer.where(**conditions)


def test_an_unknown_condition_is_a_type_error():
    with pytest.raises(TypeError, match="evry"):
        steer.add("x").where("decode", evry=2)
