"""The spread within classes: what nulls that stay on the data are drawn from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def within_class(classes: Sequence[Array], rank: int = 64) -> Array:
    """A factor F (at most `rank`, d_model) of the covariance within classes: Σ ≈ FᵀF.

    classes: activations (tokens, d_model). Every row is centred on its own class's mean, so that
    what tells the classes apart is not in it; F has the leading principal axes, each scaled by its
    standard deviation over n - classes degrees of freedom. A draw z·F, z standard normal, is the
    null that stays in the data's own spread. Empty (no rows) where there is no freedom.
    """
    centred = np.concatenate([one - one.mean(0, dtype=np.float64) for one in classes])
    freedom = len(centred) - len(classes)
    if freedom < 1:
        return np.zeros((0, centred.shape[1]), np.float32)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    kept = sizes > sizes.max(initial=0.0) * 1e-6
    factor = (sizes[:, None] * axes)[kept][:rank] / freedom**0.5
    return np.asarray(factor, np.float32)
