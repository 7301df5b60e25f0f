"""What there is within classes: what nulls that stay on the data are drawn from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steer.store import ClassStatistics

Array = NDArray[np.float32]
Floats = NDArray[np.float64]

Texts = Sequence[Array]
"""A class: the activations of each of its texts, (tokens, d_model) each."""


def class_statistics(classes: Sequence[Texts], seed: int = 0) -> ClassStatistics:
    """Covariance and shuffles of one class or several, which have a text each at least."""
    rows = [np.concatenate(texts) for texts in classes]
    return ClassStatistics(within_class(rows), stratified_shuffles(classes, seed))


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


def stratified_shuffles(classes: Sequence[Texts], seed: int = 0, count: int = 20) -> Array:
    """Differences of means (at most `count`, d_model) between labels that mean nothing.

    Each draw gives half of every class's texts one label and the rest the other, so that both
    labels hold the classes in the same shares. Rows are centred on their class's mean first: with
    odd counts the shares would differ a little, and what tells the classes apart would come back
    in. Draws whose halves are the same are left out; empty (no rows) where all are.
    """
    sums, tokens = _totals(classes)
    chance = np.random.default_rng(seed)
    drawn = [_halves([len(texts) for texts in classes], chance) for _ in range(count)]
    found = np.array([_apart(sums, tokens, half) for half in drawn])
    sizes = np.linalg.norm(found, axis=1)
    scale = np.linalg.norm(sums, axis=1).max() / tokens.sum()
    return np.asarray(found[sizes > scale * 1e-6], np.float32)


def _totals(classes: Sequence[Texts]) -> tuple[Floats, NDArray[np.int64]]:
    """Of each text, class by class: the sum of its centred rows, and how many there are."""
    tokens = np.array([len(text) for texts in classes for text in texts])
    sums = []
    for texts in classes:
        mean = np.concatenate(texts).mean(0, dtype=np.float64)
        sums += [(text - mean).sum(0) for text in texts]
    return np.array(sums), tokens


def _halves(sizes: Sequence[int], chance: np.random.Generator) -> NDArray[np.bool_]:
    return np.concatenate([chance.permutation(size) < size // 2 for size in sizes])


def _apart(sums: Floats, tokens: NDArray[np.int64], half: NDArray[np.bool_]) -> Floats:
    if not half.any():
        return np.zeros(sums.shape[1])
    means = [sums[side].sum(0) / tokens[side].sum() for side in (half, ~half)]
    return np.asarray(means[0] - means[1], np.float64)
