"""Expressions of stored vectors (``steer.expressions``), evaluated at each of their sites."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steer.errors import FailedPrecondition, NotFound
from steer.expressions import Name, Node, Orthogonal, Scaled, Sum, names
from steer.store.checks import Array
from steer.types import Site

Wide = NDArray[np.float64]

ZERO = 1e-6
"""What is smaller than this part of the terms it was made from is what their rounding left."""


@dataclass(frozen=True)
class _Value:
    """A vector of shape (d_model,), and the size of the terms it was made from."""

    array: Wide
    size: float

    @property
    def is_zero(self) -> bool:
        return not float(np.linalg.norm(self.array)) > ZERO * self.size


def evaluate(node: Node, vectors: Mapping[str, Mapping[Site, Array]]) -> dict[Site, Array]:
    """The value of an expression at each site; float32, worked out in float64.

    ``vectors``: directions of shape (d_model,), all of one width, by address and site.

    Raises:
        NotFound: a vector has no direction at a site where another has one (``SITE_MISSING``).
        FailedPrecondition: the value, or what is to be orthogonal to, is zero at a site
            (``ZERO_VECTOR``), or its norm is beyond float32 (``TOO_LARGE``).
    """
    sites = _common_sites({name: vectors[name] for name in names(node)})
    return {site: _at(node, site, vectors) for site in sites}


def _common_sites(vectors: Mapping[str, Mapping[Site, Array]]) -> tuple[Site, ...]:
    sites = tuple(sorted({site for vector in vectors.values() for site in vector}))
    missing = [
        f"{name!r} has no direction at {site}, where {holder!r} has one"
        for site in sites
        for holder in [next(name for name, vector in vectors.items() if site in vector)]
        for name, vector in vectors.items()
        if site not in vector
    ]
    if missing:
        raise NotFound("; ".join(missing), reason="SITE_MISSING")
    return sites


def _at(node: Node, site: Site, vectors: Mapping[str, Mapping[Site, Array]]) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):  # What is too large is refused below.
        value = _value(node, site, vectors)
        narrow = value.array.astype(np.float32)
        norm = float(np.linalg.norm(narrow.astype(np.float64)))
        nothing = value.is_zero and np.isfinite(value.size)
    if nothing:
        raise FailedPrecondition(f"is zero at {site}", reason="ZERO_VECTOR")
    if not 0 < norm <= float(np.finfo(np.float32).max):
        raise FailedPrecondition(f"its norm at {site} is beyond float32", reason="TOO_LARGE")
    return narrow


def _value(node: Node, site: Site, vectors: Mapping[str, Mapping[Site, Array]]) -> _Value:
    match node:
        case Name(address):
            array = vectors[address][site].astype(np.float64)
            return _Value(array, float(np.linalg.norm(array)))
        case Scaled(of, by):
            inner = _value(of, site, vectors)
            return _Value(inner.array * by, inner.size * abs(by))
        case Sum(parts):
            values = [_value(part, site, vectors) for part in parts]
            total = np.sum([value.array for value in values], axis=0)
            return _Value(total, sum(value.size for value in values))
        case Orthogonal(of, to):
            return _rest(_value(of, site, vectors), _value(to, site, vectors), site)


def _rest(of: _Value, to: _Value, site: Site) -> _Value:
    if to.is_zero:
        message = f"what it is made orthogonal to is zero at {site}"
        raise FailedPrecondition(message, reason="ZERO_VECTOR")
    unit = to.array / np.linalg.norm(to.array)
    return _Value(of.array - (of.array @ unit) * unit, of.size)
