"""Cards: what is written comes back, what can not be meant is refused and the field named."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.store import Architecture, Card, CardError, DictionarySpec, Normalize
from steer.types import (
    Decay,
    DecayShape,
    Marker,
    Phase,
    Point,
    Range,
    Site,
    Strength,
    Unit,
    Where,
)

INTS = st.integers(-(10**9), 10**9)
TEXTS = st.text(max_size=8)
SITES = st.builds(Site, st.integers(0, 200), st.sampled_from(Point))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WHERE = st.builds(
    Where,
    phase=st.sampled_from(Phase),
    ranges=st.tuples(st.builds(Range, st.none() | INTS, st.none() | INTS)),
    token_ids=st.lists(INTS, max_size=3).map(tuple),
    exclude_token_ids=st.lists(INTS, max_size=3).map(tuple),
    include_special_tokens=st.booleans(),
    markers=st.lists(st.builds(Marker, TEXTS, TEXTS, TEXTS, st.none() | INTS), max_size=2).map(
        tuple
    ),
    every=INTS,
    decay=st.none() | st.builds(Decay, st.sampled_from(DecayShape), INTS),
)
JSON = st.recursive(
    st.none() | st.booleans() | INTS | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
NORMS = st.dictionaries(SITES, NUMBERS, max_size=3)
RESIDUAL = st.dictionaries(SITES, st.floats(1e-9, 1e9), max_size=3)
SPECS = st.builds(
    DictionarySpec,
    st.sampled_from(Architecture),
    INTS,
    st.none() | INTS,
    st.sampled_from(Normalize),
    st.booleans(),
    st.none() | SITES,
)
CARDS = st.builds(
    Card,
    model=TEXTS,
    fingerprint=TEXTS,
    d_model=st.integers(1, 10**9),
    sites=st.lists(SITES, min_size=1, max_size=4, unique=True).map(tuple),
    method=TEXTS,
    kind=TEXTS,
    description=TEXTS,
    revision=TEXTS,
    residual_norms=RESIDUAL,
    strength=st.builds(Strength, NUMBERS, st.sampled_from(Unit)),
    where=WHERE,
    parameters=OBJECTS,
    data_hash=TEXTS,
    measured=OBJECTS,
    licence=TEXTS,
    created=TEXTS,
    dictionary=st.none() | SPECS,
    norms=NORMS,
    content_hash=TEXTS,
    sha256=TEXTS,
)


@given(CARDS)
def test_every_card_comes_back(card):
    assert Card.from_json(card.to_json()) == card


def test_every_field_is_drawn():
    drawn = CARDS.wrapped_strategy if hasattr(CARDS, "wrapped_strategy") else CARDS
    assert {field.name for field in fields(Card)} <= set(drawn.kwargs)


CARD = Card(
    model="m",
    fingerprint="sha256:f",
    d_model=8,
    sites=(Site(0), Site(2)),
    method="test",
    residual_norms={Site(0): 2.5},
    where=Where(token_ids=(3,), ranges=(Range(0, 4),), markers=(Marker("x"),)),
    dictionary=DictionarySpec(Architecture.TOPK, 24, k=3),
)


def changed(path: str, value: object) -> str:
    raw = json.loads(CARD.to_json())
    *way, last = path.split(".")
    into = raw
    for key in way:
        into = into[key]
    if value is ...:
        del into[last]
    else:
        into[last] = value
    return json.dumps(raw)


BAD = [
    ("format", "steer.vector/2", "format"),
    ("model", ..., r"model\.id: missing; model\.fingerprint: missing"),
    ("model.fingerprint", ..., "fingerprint: missing"),
    ("d_model", ..., "d_model: missing"),
    ("d_model", "8", "d_model: is '8', want int"),
    ("d_model", 8.5, "d_model: is 8.5"),
    ("d_model", True, "d_model: is True"),
    ("sites", [], "sites: are"),
    ("sites", ["resid_post.0"] * 2, "sites: are"),
    ("sites", ["resid_post"], "not a site"),
    ("sites", ["nowhere.0"], "nowhere"),
    ("sites", 3, "sites: is 3, want list"),
    ("sites", [3], "sites: is 3, want str"),
    ("sites", "resid_post.0", "sites: is 'resid_post.0', want list"),
    ("d_model", -8, "d_model: is -8, want at least 1"),
    ("model.id", None, r"model\.id: missing"),
    ("method", ["x"], r"method: is \['x'\], want an object"),
    ("kind", ["sae"], "kind: is"),
    ("created", 2026, "created: is 2026, want str"),
    ("measured", [1], r"measured: is \[1\], want an object"),
    ("defaults", [], r"defaults: is \[\], want an object"),
    ("defaults.strength.value", "1", r"defaults\.strength\.value: is '1', want a number"),
    ("defaults.strength.value", 10**400, r"defaults\.strength\.value: is beyond float64"),
    ("defaults.where.ranges", 3, r"defaults\.where: "),
    ("residual_norms", {"resid_post.0": 0}, r"residual_norms\.resid_post\.0: is 0.*above 0"),
    ("residual_norms", {"resid_post.0": -2.5}, "above 0"),
    ("norms", {"resid_post.0": True}, r"norms\.resid_post\.0: is True, want a number"),
    ("dictionary", "topk", "dictionary: is 'topk', want an object"),
    ("dictionary.architecture", ..., r"dictionary\.architecture: missing"),
    ("residual_norms", {"resid_post.0": "wide"}, "wide"),
    ("model", "gpt2", "model: is 'gpt2', want an object"),
    ("method", 3, "method: is 3, want an object"),
    ("defaults", 3, "defaults: is 3, want an object"),
    ("defaults.strenght", {"value": 3}, "defaults: strenght: unknown"),
    ("defaults.strength", 3, "defaults.strength: is 3, want an object"),
    ("defaults.strength.vlaue", 3, "defaults.strength: vlaue: unknown"),
    ("defaults.strength.unit", "furlong", "furlong"),
    ("defaults.where", "decode", "defaults.where: is 'decode', want an object"),
    ("defaults.where.phase", "never", "never"),
    ("defaults.where.when", 3, "where: when: unknown"),
    ("defaults.where.token_ids", ["x"], "where.token_ids: is 'x'"),
    ("defaults.where.ranges", [{"start": 0.5}], "where.ranges.start: is 0.5"),
    ("defaults.where.markers", [{"text": 3}], "where.markers.text: is 3"),
    ("defaults.where.every", "2", "where.every: is '2'"),
    ("defaults.where.include_special_tokens", "no", "include_special_tokens: is 'no'"),
    ("defaults.where.decay", {"shape": "square", "tokens": 3}, "square"),
    ("dictionary.architecture", "dense", "dense"),
    ("dictionary.d_sae", 2.0, "dictionary.d_sae: is 2.0"),
    ("dictionary.k", "3", "dictionary.k: is '3'"),
    ("dictionary.apply_b_dec_to_input", "false", "apply_b_dec_to_input: is 'false'"),
    ("dictionary.normalize", "maybe", "maybe"),
    ("dictionary.site_out", "x", "not a site"),
]


@pytest.mark.parametrize(("path", "value", "says"), BAD)
def test_what_can_not_be_meant_is_refused(path, value, says):
    with pytest.raises(CardError, match=says):
        Card.from_json(changed(path, value))


def test_everything_that_does_not_fit_is_said():
    raw = json.loads(CARD.to_json()) | {"d_model": 0, "kind": 3, "model": {"id": 4}}
    with pytest.raises(CardError) as caught:
        Card.from_json(json.dumps(raw))
    wanted = ("model.id: is 4", "model.fingerprint: missing", "d_model: is 0", "kind: is 3")
    assert all(part in str(caught.value) for part in wanted)


def test_null_is_what_is_left_out():
    raw = json.loads(CARD.to_json()) | {"defaults": None, "measured": None, "licence": None}
    assert Card.from_json(json.dumps(raw)) == replace(CARD, where=Where())


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 100_000, '{"a": 1e999}'])
def test_what_is_no_card_is_refused(text):
    with pytest.raises(CardError):
        Card.from_json(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_are_finite(number):
    with pytest.raises(CardError, match="is not a number"):
        Card.from_json(CARD.to_json().replace("2.5", number))


def test_what_is_left_out_is_the_default():
    raw = json.loads(CARD.to_json())
    needed = {"format", "kind", "model", "d_model", "sites", "method"}
    bare = Card.from_json(json.dumps({key: raw[key] for key in needed}))
    assert bare == replace(
        CARD, residual_norms={}, where=Where(), dictionary=None, strength=Strength()
    )
