"""Directions of two classes, against scikit-learn and against what was put into the data."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from steer.elicit.directions import METHODS, Classes, along, direction
from steer.elicit.lda import lda, shrunk
from steer.elicit.logistic import logistic
from steer.elicit.pca import principal_axis, share_along
from steer.errors import FailedPrecondition

SHAPES = [(80, 60, 12), (20, 25, 48)]
"""Rows of each class and dimensions: more rows than dimensions, and fewer."""


def classes(positive: int, negative: int, d: int, seed: int = 0, gap: float = 2.0) -> Classes:
    """Two correlated clouds, apart along the third axis."""
    chance = np.random.default_rng(seed)
    mix = chance.standard_normal((d, d)) / d**0.5
    offset = gap * np.eye(d)[2]
    clouds = [chance.standard_normal((n, d)) @ mix + 5 for n in (positive, negative)]
    up, down = ((clouds[0] + offset).astype(np.float32), clouds[1].astype(np.float32))
    count = min(positive, negative)
    return Classes(up, down, up[:count] - down[:count])


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x)


def stacked(data: Classes) -> tuple[np.ndarray, np.ndarray]:
    rows = np.concatenate((data.positive, data.negative)).astype(np.float64)
    return rows, np.arange(len(rows)) < len(data.positive)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_probe_agrees_with_scikit_learn(shape: tuple[int, int, int], c: float):
    rows, labels = stacked(classes(*shape))
    weights, bias = logistic(rows, labels, c)
    theirs = LogisticRegression(C=c, tol=1e-10, max_iter=100_000).fit(rows, labels)
    np.testing.assert_allclose(weights, theirs.coef_[0], rtol=2e-3, atol=2e-4)
    assert bias == pytest.approx(theirs.intercept_[0], rel=2e-3, abs=2e-3)


def test_probe_of_far_classes_is_finite():
    data = classes(30, 30, 8, gap=500.0)
    rows, labels = stacked(data)
    weights, bias = logistic(rows, labels, 1e4)
    assert np.all((rows @ weights + bias > 0) == labels)


@pytest.mark.parametrize("shape", SHAPES)
def test_lda_agrees_with_scikit_learn(shape: tuple[int, int, int]):
    data = classes(*shape)
    rows, labels = stacked(data)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(rows, labels)
    np.testing.assert_allclose(lda(data.positive, data.negative), theirs.coef_[0], rtol=1e-6)


def test_lda_does_not_mind_a_feature_that_never_varies():
    data = classes(30, 30, 6)
    fixed = [
        np.column_stack((one, np.full(len(one), 3.0))) for one in (data.positive, data.negative)
    ]
    found = lda(*fixed)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[-1], 0, atol=1e-9)
    assert shrunk(np.ones((4, 3))).shape == (3, 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_pca_of_all_activations_agrees_with_scikit_learn(shape: tuple[int, int, int]):
    data = classes(*shape)
    rows, _ = stacked(data)
    theirs = PCA(n_components=1).fit(rows)
    found = direction("pca", Classes(data.positive, data.negative))
    assert abs(unit(found) @ theirs.components_[0]) == pytest.approx(1, abs=1e-9)
    share = share_along(rows - rows.mean(0), unit(found))
    assert share == pytest.approx(theirs.explained_variance_ratio_[0], rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_pca_of_pairs_agrees_with_scikit_learn_on_both_signs(shape: tuple[int, int, int]):
    """With every difference taken in both directions nothing is left for centring to take out."""
    data = classes(*shape)
    assert data.pairs is not None
    theirs = PCA(n_components=1).fit(np.concatenate((data.pairs, -data.pairs)).astype(np.float64))
    found = direction("pca", data)
    assert abs(unit(found) @ theirs.components_[0]) == pytest.approx(1, abs=1e-9)
    share = share_along(data.pairs, unit(found))
    assert share == pytest.approx(theirs.explained_variance_ratio_[0], rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pairs", [True, False])
def test_every_direction_points_to_the_positive_class(method: str, pairs: bool):
    data = classes(60, 60, 10, gap=6.0)
    data = data if pairs else Classes(data.positive, data.negative)
    flipped = Classes(data.negative, data.positive, None if data.pairs is None else -data.pairs)
    found = direction(method, data)
    apart = data.difference()
    # As far along itself as the means are apart, whatever the method.
    assert found @ apart == pytest.approx(found @ found)
    np.testing.assert_allclose(direction(method, flipped), -found, atol=1e-5)
    assert unit(found) @ np.eye(10)[2] > 0.5


def test_difference_of_means_is_the_difference_of_the_means():
    data = classes(7, 5, 4)
    want = data.positive.mean(0, dtype=np.float64) - data.negative.mean(0, dtype=np.float64)
    np.testing.assert_allclose(direction("difference_of_means", data), want, rtol=1e-12)


@pytest.mark.parametrize("method", ["pca", "lda", "probe"])
def test_classes_with_equal_means_have_no_direction(method: str):
    same = np.array([[1.0, 2.0], [3.0, -1.0], [-4.0, 0.5]], np.float32)
    with pytest.raises(FailedPrecondition, match="do not differ") as caught:
        direction(method, Classes(same, same.copy()))
    assert caught.value.reason == "NO_DIRECTION"
    with pytest.raises(FailedPrecondition):
        along(np.array([1.0, 0.0]), np.array([0.0, 1.0]))


def test_nothing_has_no_axis():
    assert not principal_axis(np.zeros((3, 2))).any()
    assert share_along(np.zeros((3, 2)), np.array([1.0, 0.0])) == 0
