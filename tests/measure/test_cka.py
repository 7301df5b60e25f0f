"""Linear CKA against its definition by columns, and what must not change it."""

import numpy as np
import pytest

from steer.measure.cka import linear_cka, similarity

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 7)), RNG.normal(size=(40, 5))


def by_columns(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def test_it_is_the_definition():
    assert linear_cka(X, Y) == pytest.approx(by_columns(X, Y), abs=1e-12)
    assert linear_cka(X, X + 0.3 * RNG.normal(size=X.shape)) > 0.8


def test_rotation_scale_and_shift_change_nothing():
    rotation, _ = np.linalg.qr(RNG.normal(size=(7, 7)))
    assert linear_cka(X, 3 * X @ rotation + 5) == pytest.approx(1)
    assert linear_cka(X @ rotation, Y - 2) == pytest.approx(linear_cka(X, Y))
    assert linear_cka(X, Y) == pytest.approx(linear_cka(Y, X))


def test_what_is_constant_is_like_nothing():
    assert linear_cka(X, np.ones((40, 3))) is None
    assert similarity(X, np.ones((40, 3))).value is None
    with pytest.raises(ValueError, match="same prompts"):
        linear_cka(X, Y[:10])


def test_the_interval_holds_the_value_and_the_floor_tells_noise_from_likeness():
    same = similarity(X, X + 0.1 * RNG.normal(size=X.shape))
    assert same.low <= same.value <= same.high
    assert same.value > 0.95 > 0.5 > same.floor
    wide = similarity(RNG.normal(size=(20, 400)), RNG.normal(size=(20, 400)))
    assert wide.value == pytest.approx(wide.floor, abs=0.15)
    assert wide.n == 20
