"""Operands: controls are seeded, norm-matched and unrelated to what they control for."""

import numpy as np
import pytest

from steer.errors import InvalidRequest, SteerError
from steer.intervene.operands import OperandResolver, isotropic, reject
from steer.store import Store, bundled
from steer.types import (
    Direction,
    Expression,
    Inline,
    OrthogonalTo,
    Point,
    RandomLike,
    Site,
    Stored,
    WithinClass,
)

D = 64
SEEDS = [*range(300), 2**63, 2**64 - 1]
VECTOR = Store(bundled()).get("a1-rloo")


@pytest.fixture
def resolver() -> OperandResolver:
    return OperandResolver(Store(bundled()), D, VECTOR.card.fingerprint, allow_mismatch=False)


def inline(array: np.ndarray) -> Inline:
    return Inline((Direction(array.astype("<f4").tobytes()),))


def test_a_seed_is_a_vector():
    for seed in SEEDS[-5:]:
        assert np.array_equal(isotropic(seed, Site(1), 3.0, D), isotropic(seed, Site(1), 3.0, D))
    drawn = {isotropic(seed, Site(1), 3.0, D).tobytes() for seed in SEEDS}
    places = [None, *(Site(layer, point) for layer in range(3) for point in Point)]
    drawn |= {isotropic(7, place, 3.0, D).tobytes() for place in places}
    assert len(drawn) == len(SEEDS) + len(places) - 1


def test_random_directions_are_isotropic_and_of_the_norm_asked_for():
    drawn = np.stack([isotropic(seed, Site(0), 2.5, D) for seed in SEEDS])
    assert np.linalg.norm(drawn, axis=1) == pytest.approx(2.5, rel=1e-6)
    units, n = drawn / 2.5, len(SEEDS)
    cosines = (units @ units.T)[np.triu_indices(n, 1)]
    # Of independent directions: mean 0, standard deviation 1 / sqrt(D).
    assert abs(cosines.mean()) < 4 / np.sqrt(D * len(cosines))
    assert cosines.std() == pytest.approx(1 / np.sqrt(D), rel=0.05)
    assert np.linalg.norm(units.mean(0)) < 2 / np.sqrt(n)


def test_random_like_has_the_norm_of_its_model_at_each_site(resolver):
    found = resolver.resolve(RandomLike(Stored("a1-rloo"), seed=4), "x")
    assert set(found.arrays) == set(VECTOR.tensors)
    for site, array in found.arrays.items():
        norm = np.linalg.norm(VECTOR.tensors[site])
        assert np.linalg.norm(array) == pytest.approx(norm, rel=1e-6)
    assert found.card == VECTOR.card
    tiny = resolver.resolve(RandomLike(inline(np.full(D, 1e-30))), "x")
    assert np.linalg.norm(tiny.arrays[None].astype(float)) == pytest.approx(8e-30, rel=1e-3)


def test_orthogonal_to_keeps_the_rest_and_nothing_along(resolver):
    rng = np.random.default_rng(0)
    v, away = rng.standard_normal((2, D)).astype(np.float32)
    rest = resolver.resolve(OrthogonalTo(inline(v), inline(away)), "x").arrays[None]
    assert abs(rest @ away) < 1e-5 * np.linalg.norm(rest) * np.linalg.norm(away)
    removed = v - rest
    assert abs(removed @ away) == pytest.approx(
        np.linalg.norm(removed) * np.linalg.norm(away), rel=1e-5
    )
    np.testing.assert_allclose(reject(rest, away), rest, atol=1e-6)


def test_what_is_parallel_has_no_rest(resolver):
    assert resolver.resolve(OrthogonalTo(Stored("a1-rloo"), Stored("a1-rloo")), "x") is None
    with pytest.raises(InvalidRequest, match="parallel"):
        resolver.violations.raise_if_any()


def test_an_expression_is_what_its_vectors_come_to(resolver):
    dom = Store(bundled()).get("a1-dom")
    text = "2*a1-rloo - orthogonal_to(a1-dom, a1-rloo) / 4"
    found = resolver.resolve(Expression(text), "x")
    (site,) = found.arrays
    v, w = VECTOR.tensors[site].astype(float), dom.tensors[site].astype(float)
    rest = w - (w @ v) / (v @ v) * v
    np.testing.assert_allclose(found.arrays[site], 2 * v - rest / 4, rtol=1e-5, atol=1e-6)
    assert found.arrays[site].dtype == np.float32
    assert (found.described, found.card, found.classes) == (text, VECTOR.card, {})
    same = resolver.resolve(Expression("a1-rloo"), "x")
    assert np.array_equal(same.arrays[site], VECTOR.tensors[site])
    assert resolver.resolve(Expression("a1-dom - a1-rloo"), "x").card == dom.card
    assert resolver.resolve(RandomLike(Expression(text)), "x").described.startswith(
        "random_like(2*"
    )


def test_a_stratified_shuffle_is_one_of_those_stored_at_the_norm_of_its_vector(resolver):
    dom = Store(bundled()).get("a1-dom")
    ((site, v),) = dom.tensors.items()
    found = resolver.resolve(WithinClass(Stored("a1-dom"), 3, stratified=True), "x")
    stored = dom.classes[site].shuffles[3].astype(float)
    expected = stored * np.linalg.norm(v) / np.linalg.norm(stored)
    np.testing.assert_allclose(found.arrays[site], expected, rtol=1e-5)
    assert found.described == "stratified(a1-dom, seed=3)"
    assert resolver.resolve(WithinClass(Stored("a1-dom"), 20, stratified=True), "x") is None
    with pytest.raises(SteerError) as caught:
        resolver.violations.raise_if_any()
    (wrong,) = caught.value.violations
    assert (wrong.field, wrong.reason) == ("x.within_class.of", "NO_WITHIN_CLASS")
    assert "stratified shuffle 20" in wrong.message


def test_everything_wrong_with_an_expression_is_told(resolver):
    for index, text in enumerate(["nope + a1-dom - nor@3", "a1-dom - a1-dom", "A1"]):
        assert resolver.resolve(Expression(text), f"x[{index}]") is None
    assert resolver.resolve(WithinClass(Expression("a1-dom")), "y") is None
    with pytest.raises(InvalidRequest) as caught:
        resolver.violations.raise_if_any()
    assert {violation.field: violation.reason for violation in caught.value.violations} == {
        "x[0].expression[nope]": "VECTOR_NOT_FOUND",
        "x[0].expression[nor@3]": "VECTOR_NOT_FOUND",
        "x[1].expression": "ZERO_VECTOR",
        "x[2].expression": "BAD_EXPRESSION",
        "y.within_class.of": "NO_WITHIN_CLASS",
    }
