"""Gates, as a caller writes them."""

import math

import pytest

import steer
from steer import types as t


def test_cosine():
    assert steer.cosine("x", above=0.3, at=8) == t.Gate(t.Site(8), 0.3, cosine=t.Stored("x"))
    gate = steer.cosine("x", below=0.3, at=(8, "attn_out"), scope="token", absolute=True)
    assert gate.site == t.Site(8, t.Point.ATTN_OUT)
    assert (gate.below, gate.scope, gate.absolute) == (True, t.GateScope.TOKEN, True)


def test_probe():
    gate = steer.probe("p", above=0.5, at=t.Site(3), scope="last")
    assert gate == t.Gate(t.Site(3), 0.5, probe="p", scope=t.GateScope.LAST)


def test_active():
    gate = steer.active("sae", 0, above=2.0, at=3)
    assert gate == t.Gate(t.Site(3), 2.0, dictionary="sae", feature=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: steer.cosine("x", at=1),
        lambda: steer.cosine("x", above=0.1, below=0.2, at=1),
        lambda: steer.cosine("x", above=0.1),
        lambda: steer.cosine("x", above=2, at=1),
        lambda: steer.cosine("x", above=math.nan, at=1),
        lambda: steer.cosine("x", above="much", at=1),
        lambda: steer.cosine("x", above=-0.5, at=1, absolute=True),
        lambda: steer.cosine("", above=0.1, at=1),
        lambda: steer.cosine("x", above=0.1, at="here"),
        lambda: steer.cosine("x", above=0.1, at=True),
        lambda: steer.cosine("x", above=0.1, at=-1),
        lambda: steer.cosine("x", above=0.1, at=(1, "nowhere")),
        lambda: steer.cosine("x", above=0.1, at=1, scope="always"),
        lambda: steer.probe("", above=0.5, at=1),
        lambda: steer.probe("p", above=1.5, at=1),
        lambda: steer.active("sae", -1, above=0.0, at=1),
        lambda: steer.active("", 1, above=0.0, at=1),
    ],
)
def test_nonsense_is_refused_at_once(make):
    with pytest.raises(steer.InvalidRequest):
        make()


def test_an_unknown_option_is_a_type_error():
    with pytest.raises(TypeError, match="threshold"):
        steer.probe("p", threshold=0.5, at=1)
