"""Arithmetic on stored vectors, and new ones made by it."""

from dataclasses import replace

import numpy as np
import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.expressions import parse
from steer.store import Card, Store, Vector
from steer.store.algebra import evaluate
from steer.store.combine import combine
from steer.store.used import USED, used_splits
from steer.types import Phase, Point, Site, Strength, Where
from tests.store import items

ONE, TWO = Site(0), Site(1, Point.MLP_OUT)


def vectors(**arrays: list[float]) -> dict[str, dict[Site, np.ndarray]]:
    return {name: {ONE: np.array(array, np.float32)} for name, array in arrays.items()}


def at_one(text: str, **arrays: list[float]) -> list[float]:
    return evaluate(parse(text), vectors(**arrays))[ONE].tolist()


def test_values():
    given = {"a": [1, 2], "b": [3, 0]}
    assert at_one("a - 2*b", **given) == [-5, 2]
    assert at_one("mean(a, b)", **given) == [2, 1]
    assert at_one("orthogonal_to(a, b)", **given) == [0, 2]
    assert at_one("-(a + b) / 4", **given) == [-1, -0.5]


@pytest.mark.parametrize(
    "text", ["a - a", "0*a", "0.1*a + 0.2*a - 0.3*a", "orthogonal_to(a, 3*a)", "a - mean(a, a)"]
)
def test_nothing_left_is_refused(text):
    with pytest.raises(FailedPrecondition, match=r"^is zero at resid_post\.0$") as caught:
        at_one(text, a=[1, 1e-3])
    assert caught.value.reason == "ZERO_VECTOR"


def test_orthogonal_to_nothing_is_refused():
    with pytest.raises(FailedPrecondition, match="made orthogonal to is zero at") as caught:
        at_one("orthogonal_to(a, b - b)", a=[1, 0], b=[1, 1])
    assert caught.value.reason == "ZERO_VECTOR"


@pytest.mark.parametrize("text", ["1e39*a", "1e300*(1e8*a)", "3e38*a + 3e38*b", "1e-60*a"])
def test_what_float32_does_not_hold_is_refused(text):
    with pytest.raises(FailedPrecondition, match="beyond float32") as caught:
        at_one(text, a=[1, 0], b=[0, 3e38])
    assert caught.value.reason == "TOO_LARGE"


def test_sites_must_be_the_same_and_every_missing_one_is_named():
    array = np.ones(2, np.float32)
    given = {"a": {ONE: array, TWO: array}, "b": {ONE: array}, "c": {TWO: array}}
    assert evaluate(parse("a"), given).keys() == {ONE, TWO}
    with pytest.raises(NotFound) as caught:
        evaluate(parse("a + b + c"), given)
    assert caught.value.reason == "SITE_MISSING"
    assert caught.value.message == (
        "'c' has no direction at resid_post.0, where 'a' has one; "
        "'b' has no direction at mlp_out.1, where 'a' has one"
    )


@pytest.fixture
def filled(store: Store) -> Store:
    """Vectors ``a`` (twice) and ``b`` of one model, a probe, and vectors of other models."""
    where = Where(Phase.DECODE)
    card = replace(
        items.CARD,
        strength=Strength(2),
        where=where,
        licence="MIT",
        residual_norms={site: 3.0 for site in items.SITES},
        data_hash="sha256:0",
        measured={"n": 3},
    )
    for seed, name in enumerate(("a", "a", "b")):
        store.add(replace(items.vector(name, seed, spread=True), card=card))
    store.add(items.probe("p"))
    other = replace(items.CARD, fingerprint="sha256:x", model="other")
    store.add(replace(items.vector("foreign"), card=other))
    wide = {site: np.ones(9, np.float32) for site in items.SITES}
    store.add(Vector("wide", wide, replace(items.CARD, d_model=9)))
    return store


def test_a_combination_is_stored_with_its_parents(filled):
    version = combine(filled, "c", "a@1 - 0.5*b")
    made = filled.get("c")
    a, b = filled.get("a@1"), filled.get("b")
    for site in items.SITES:
        np.testing.assert_allclose(made.tensors[site], a.tensors[site] - 0.5 * b.tensors[site])
    card: Card = version.card
    assert card.parameters == {
        "expression": "a@1 - 0.5*b",
        "parents": {"a@1": filled.resolve("a@1").address, "b": filled.resolve("b").address},
    }
    assert (card.method, card.description) == ("combination", "a@1 - 0.5*b")
    assert (card.strength, card.where, card.licence) == (Strength(2), Where(Phase.DECODE), "MIT")
    assert (card.data_hash, dict(card.measured), made.classes) == ("", {}, {})
    assert card.residual_norms == a.card.residual_norms
    assert card.content_hash == made.content_hash and card.norms.keys() == set(items.SITES)
    # Parents are what they were, whatever happens to their names.
    filled.add(items.vector("b", seed=9))
    assert filled.get(card.parameters["parents"]["b"]).content_hash == b.content_hash
    again = combine(filled, "c", "2*c + b", "twice")
    assert (again.number, again.card.description) == (2, "twice")
    assert again.card.parameters["parents"]["c"] == version.address


def test_a_combination_was_chosen_on_what_its_parents_were(filled):
    def told(name, used):
        vector = items.vector(name, seed=7)
        filled.add(replace(vector, card=replace(vector.card, parameters=used)))

    told("one", {USED: {"a1": ["train", "select"]}})
    told("two", {USED: {"a1": ["select"], "a2": ["report"]}})
    combine(filled, "both", "one + two")
    used = used_splits(filled.get("both").card)
    assert used == {"a1": ["train", "select"], "a2": ["report"]}
    for unclear in ({}, {USED: "select"}, {USED: {"a1": 5}}):
        told("three", unclear)
        combine(filled, "all", "both + three")
        assert used_splits(filled.get("all").card) is None


@pytest.mark.parametrize(
    ("text", "error", "reason"),
    [
        ("a +", InvalidRequest, "BAD_EXPRESSION"),
        ("a - a", FailedPrecondition, "ZERO_VECTOR"),
        ("a + nope", NotFound, "VECTOR_NOT_FOUND"),
        ("a + a@3", NotFound, "VECTOR_NOT_FOUND"),
        ("a + a/../b", InvalidRequest, "BAD_NAME"),
        ("a + p", FailedPrecondition, "WRONG_KIND"),
        ("a + foreign", FailedPrecondition, "MODEL_MISMATCH"),
        ("a + wide", FailedPrecondition, "WIDTH_MISMATCH"),
    ],
)
def test_what_can_not_be_combined_stores_nothing(filled, text, error, reason):
    with pytest.raises(error) as caught:
        combine(filled, "c", text)
    assert caught.value.reason == reason
    assert "c" not in filled.names()
    with pytest.raises(InvalidRequest):
        combine(filled, "../c", "a")
