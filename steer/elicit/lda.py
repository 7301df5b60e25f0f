"""Linear discriminant analysis of two classes.

The covariance within classes is shrunk towards a multiple of the identity by the amount of Ledoit
and Wolf (A well-conditioned estimator for large-dimensional covariance matrices, 2004).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def lda(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> Floats:
    """Σ⁻¹(μ₊ - μ₋), (d,), from rows (n, d) of each class, at least one in each.

    Σ: the mean of the classes' shrunk covariances, weighted by their sizes.
    """
    classes = [one.astype(np.float64) for one in (positive, negative)]
    total = sum(map(len, classes))
    covariance = sum(len(one) / total * shrunk(one) for one in classes)
    apart = classes[0].mean(0) - classes[1].mean(0)
    try:
        return np.asarray(np.linalg.solve(covariance, apart), np.float64)
    except np.linalg.LinAlgError:  # nothing varies, or nothing was shrunk
        return np.asarray(np.linalg.lstsq(covariance, apart)[0], np.float64)


def shrunk(rows: Floats) -> Floats:
    """The covariance (d, d) of rows (n, d), shrunk after each feature was scaled to variance 1."""
    x = rows - rows.mean(0)
    scale = x.std(0)
    scale[scale <= 10 * np.finfo(np.float64).eps * np.abs(rows).max(0, initial=1.0)] = 1.0
    x /= scale
    sample = x.T @ x / len(x)
    amount, mean = ledoit_wolf(x, sample), np.trace(sample) / len(sample)
    shrunken = (1 - amount) * sample + amount * mean * np.eye(len(sample))
    return np.asarray(scale[:, None] * shrunken * scale, np.float64)


def ledoit_wolf(x: Floats, sample: Floats) -> float:
    """How much to shrink, 0 to 1: x (n, d) is centred, ``sample`` is xᵀx/n."""
    n, d = x.shape
    mean = np.trace(sample) / d
    squares = float((sample * sample).sum())
    distance = (squares - d * mean**2) / d
    noise = float(((x * x).sum(1) ** 2).mean() - squares) / (d * n)
    return min(noise, distance) / distance if distance > 0 else 0.0
