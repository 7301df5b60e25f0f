"""The first principal axis."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def principal_axis(rows: NDArray[np.floating]) -> Floats:
    """The unit direction (d,) along which rows (n, d) spread most about zero; its sign is free.

    Rows that are centred give the first axis of their principal component analysis. Zero where all
    rows are zero.
    """
    x = rows.astype(np.float64)
    # The smaller of the two products has the same leading part.
    if len(x) < x.shape[1]:
        sizes, vectors = np.linalg.eigh(x @ x.T)
        axis = x.T @ vectors[:, -1]
    else:
        sizes, vectors = np.linalg.eigh(x.T @ x)
        axis = vectors[:, -1]
    size = float(np.linalg.norm(axis))
    return np.asarray(axis / size if sizes[-1] > 0 and size else np.zeros(x.shape[1]), np.float64)


def share_along(rows: NDArray[np.floating], axis: NDArray[np.floating]) -> float:
    """Share, 0 to 1, of the squared length of rows (n, d) that lies along a unit direction."""
    x = rows.astype(np.float64)
    total = float((x * x).sum())
    return float(((x @ axis) ** 2).sum()) / total if total else 0.0
