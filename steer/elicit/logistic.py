"""A linear probe by logistic regression, by Newton's method in the space the data span."""

import numpy as np
from numpy.typing import NDArray

from steer.errors import FailedPrecondition

Floats = NDArray[np.float64]

STEPS = 200
TOLERANCE = 1e-9


def logistic(
    rows: NDArray[np.floating], labels: NDArray[np.bool_], c: float
) -> tuple[Floats, float]:
    """Weights (d,) and bias that minimise ½‖w‖² + c·Σ log(1 + exp(-y(w·x + b))), y = ±1.

    rows: (n, d); labels: (n,), both values present; c above 0. The bias is not penalised. Raises
    FailedPrecondition (NO_CONVERGENCE) when that is not reached, as with numbers beyond floats.
    """
    middle = rows.mean(0, dtype=np.float64)
    x, basis = _spanned(rows.astype(np.float64) - middle)
    x = np.column_stack((x, np.ones(len(x))))
    signs = np.where(labels, 1.0, -1.0)
    found = _minimised(x, signs, c)
    weights: Floats = basis @ found[:-1] if basis is not None else found[:-1]
    return weights, float(found[-1] - weights @ middle)


def _spanned(x: Floats) -> tuple[Floats, Floats | None]:
    """Coordinates of rows in an orthonormal basis (d, n) of what they span, where that is fewer
    numbers: weights outside of it would only be penalised."""
    if len(x) >= x.shape[1]:
        return x, None
    basis, corner = np.linalg.qr(x.T)
    return corner.T, basis


def _minimised(x: Floats, signs: Floats, c: float) -> Floats:
    penalty: Floats = np.ones(x.shape[1])
    penalty[-1] = 0.0
    at: Floats = np.zeros(x.shape[1])
    for _ in range(STEPS):
        chance = _falls_short(signs * (x @ at))
        gradient = penalty * at - c * (x.T @ (signs * chance))
        if np.abs(gradient).max() <= TOLERANCE * max(1.0, c * np.abs(x).sum(0).max()):
            return at
        bend = c * chance * (1 - chance)
        curvature = (x.T * bend) @ x + np.diag(penalty + 1e-12)
        step = np.asarray(np.linalg.solve(curvature, gradient), np.float64)
        at = _descended(x, signs, c, penalty, at, step, float(gradient @ step))
    raise FailedPrecondition("the probe did not converge", reason="NO_CONVERGENCE")


def _descended(
    x: Floats, signs: Floats, c: float, penalty: Floats, at: Floats, step: Floats, slope: float
) -> Floats:
    """A step down, halved until the loss falls as it should (Armijo)."""

    def loss(w: Floats) -> float:
        short = np.logaddexp(0.0, -signs * (x @ w))
        return float(0.5 * (penalty * w * w).sum() + c * short.sum())

    before, size = loss(at), 1.0
    while size > 1e-10 and loss(at - size * step) > before - 1e-4 * size * slope:
        size /= 2
    return at - size * step


def _falls_short(margin: Floats) -> Floats:
    """sigmoid(-margin) without overflow."""
    return np.asarray(0.5 * (1 - np.tanh(margin / 2)), np.float64)
