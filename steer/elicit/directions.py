"""Methods that make a direction from the activations of two classes.

Every direction points to the positive class. Difference of means is itself (Rimsky et al., arXiv
2312.06681; Marks & Tegmark, arXiv 2310.06824). The others give an axis, whose length is then that
of the difference of means along it, so that a strength means the same for all of them: at 1 the
mean of the negative class comes as far along the direction as that of the positive. PCA: Zou et
al., arXiv 2310.01405.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steer.elicit.lda import lda
from steer.elicit.logistic import logistic
from steer.elicit.pca import principal_axis
from steer.errors import FailedPrecondition

Array = NDArray[np.float32]
Floats = NDArray[np.float64]

PROBE_C = 1.0
"""Inverse weight of the probe's penalty."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Activations (n, d) of each class. ``pairs``: positive minus negative of each pair, (pairs,
    d), where examples belong together."""

    positive: Array
    negative: Array
    pairs: Array | None = None

    def difference(self) -> Floats:
        """μ₊ - μ₋."""
        means = [one.mean(0, dtype=np.float64) for one in (self.positive, self.negative)]
        return np.asarray(means[0] - means[1], np.float64)


def direction(method: str, classes: Classes) -> Floats:
    """The direction (d,) of a method of ``METHODS``.

    Raises FailedPrecondition (NO_DIRECTION) where the classes' means do not differ, or not along
    what the method finds.
    """
    difference = classes.difference()
    found = METHODS[method](classes)
    return difference if found is None else along(difference, found)


def along(difference: Floats, axis: Floats) -> Floats:
    """The component of μ₊ - μ₋ along an axis. Raises FailedPrecondition where there is none."""
    size = float(np.linalg.norm(axis))
    unit = axis / size if size else axis
    length = float(difference @ unit)
    if not abs(length) > 1e-9 * float(np.linalg.norm(difference)):
        message = "the means of the classes do not differ along what was found"
        raise FailedPrecondition(message, reason="NO_DIRECTION")
    return np.asarray(length * unit, np.float64)


def pca(classes: Classes) -> Floats:
    """The axis along which the differences of pairs are largest, about zero: their own mean is not
    taken out, for it is what is looked for. Without pairs, along which all activations, centred
    together, spread most."""
    if classes.pairs is not None:
        return principal_axis(classes.pairs)
    pooled = np.concatenate((classes.positive, classes.negative))
    return principal_axis(pooled - pooled.mean(0, dtype=np.float64))


def probe(classes: Classes) -> Floats:
    """The weights of a logistic regression of the class on the activation."""
    rows = np.concatenate((classes.positive, classes.negative))
    labels = np.arange(len(rows)) < len(classes.positive)
    return logistic(rows, labels, PROBE_C)[0]


def discriminant(classes: Classes) -> Floats:
    """Linear discriminant analysis with a shrunk covariance."""
    return lda(classes.positive, classes.negative)


METHODS: Mapping[str, Callable[[Classes], Floats | None]] = {
    "difference_of_means": lambda classes: None,
    "pca": pca,
    "probe": probe,
    "lda": discriminant,
}
"""The axis that each method finds, by the name that cards have; None: the difference itself."""
