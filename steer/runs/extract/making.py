"""From activations to directions, one site after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steer.elicit.directions import PROBE_C, Classes, along, direction
from steer.elicit.logistic import logistic
from steer.elicit.quality import Quality, quality
from steer.elicit.within import class_statistics
from steer.errors import FailedPrecondition
from steer.runs.extract.layout import Labels, Layout
from steer.runs.extract.spool import Gathered, Spool
from steer.specs import ExtractMethod, ExtractSpec
from steer.store import ClassStatistics
from steer.types import Site

Array = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Made:
    """A direction (d_model,) at a site, how reliable it is, and what is within the classes.
    ``bias``: of a probe, whose weights the direction is."""

    site: Site
    direction: Array
    quality: Quality
    within: ClassStatistics
    bias: float | None = None


def make(spec: ExtractSpec, layout: Layout, spool: Spool, sites: Sequence[Site]) -> Iterator[Made]:
    """The direction at each site. Raises FailedPrecondition where there is none."""
    gathered = [spool.read(piece) for piece in layout.pieces]
    labels = layout.labels()
    for place, site in enumerate(sites):
        rows = np.concatenate([one.rows[place] for one in gathered])
        try:
            yield _made(spec, site, rows, labels, _difference(gathered, place))
        except FailedPrecondition as error:
            raise FailedPrecondition(f"{site}: {error.message}", reason=error.reason) from error


def _made(spec: ExtractSpec, site: Site, rows: Array, labels: Labels, apart: Floats) -> Made:
    whole = _classes(spec, rows, labels)
    halves = [_half(spec, rows, labels, half) for half in (0, 1)]
    if not apart.any():
        raise FailedPrecondition("the means of the classes are the same", reason="NO_DIRECTION")
    exact = spec.method is ExtractMethod.DIFFERENCE_OF_MEANS
    found = apart if exact else direction(spec.method.value, whole)
    told = quality(spec.method.value, found, whole, halves)
    within = class_statistics(_texts(rows, labels), spec.seed)
    if spec.as_probe:
        weights, bias = logistic(
            np.concatenate((whole.positive, whole.negative)),
            np.arange(len(rows)) < len(whole.positive),
            PROBE_C,
        )
        along(apart, weights)
        return Made(site, weights.astype(np.float32), told, within, bias)
    unit = found / np.linalg.norm(found) if spec.normalise else found
    return Made(site, (spec.scale * unit).astype(np.float32), told, within)


def _difference(gathered: Sequence[Gathered], place: int) -> Floats:
    """μ₊ - μ₋ over every row that was read."""
    sums = np.sum([one.sums[place].sum(1) for one in gathered], axis=0)
    counts = np.sum([one.counts.sum(1) for one in gathered], axis=0)
    means = sums / counts[:, None]
    return np.asarray(means[0] - means[1], np.float64)


def _classes(spec: ExtractSpec, rows: Array, labels: Labels) -> Classes:
    """Rows by class."""
    pairs = _pairs(rows, labels) if spec.pairs else None
    return Classes(rows[labels.positive], rows[~labels.positive], pairs)


def _texts(rows: Array, labels: Labels) -> list[list[Array]]:
    """Rows by class, and in it by text."""
    starts = np.flatnonzero(labels.first)
    texts = np.split(rows, starts[1:])
    positive = labels.positive[starts]
    return [
        [text for text, its in zip(texts, positive, strict=True) if its == side]
        for side in (True, False)
    ]


def _half(spec: ExtractSpec, rows: Array, labels: Labels, half: int) -> Classes:
    inside, told = labels.of(half)
    return _classes(spec, rows[inside], told)


def _pairs(rows: Array, labels: Labels) -> Array:
    """Mean of a positive text minus mean of the negative one of the same index."""
    starts = np.flatnonzero(labels.first)
    if not len(starts):
        return np.zeros((0, rows.shape[1]), np.float32)
    counts = np.diff([*starts, len(rows)])
    means = np.add.reduceat(rows.astype(np.float64), starts, axis=0) / counts[:, None]
    positive, text = labels.positive[starts], labels.text[starts]
    ordered = [means[side][np.argsort(text[side])] for side in (positive, ~positive)]
    return np.asarray(ordered[0] - ordered[1], np.float32)
