"""What an op works with: directions that are stored, sent along, or made of others."""

from dataclasses import dataclass

from steer.types.site import Site

LARGEST = (2 - 2**-23) * 2.0**127
"""The largest number that float32 holds, in which activations are computed: beyond it everything
is infinite."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A vector of the server's store, by name, ``name@N`` or ``name@sha256:…``."""

    name: str


@dataclass(frozen=True, slots=True)
class Direction:
    """``data``: little-endian float32, ``len(data) // 4`` numbers. No site: the intervention's."""

    data: bytes
    site: Site | None = None


@dataclass(frozen=True, slots=True)
class Inline:
    """A vector sent with the call."""

    directions: tuple[Direction, ...]


@dataclass(frozen=True, slots=True)
class RandomLike:
    """An isotropic random direction with the norm of ``of`` at each of its sites; seeded."""

    of: "Operand"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class OrthogonalTo:
    """``of`` without its component along ``to``, at each site."""

    of: "Operand"
    to: "Operand"


@dataclass(frozen=True, slots=True)
class WithinClass:
    """Random direction from the covariance within the classes that ``of`` was made from, with the
    norm of ``of``; with ``stratified`` the ``seed``-th of the differences of means between labels
    shuffled inside the classes, which are stored with it, from 0."""

    of: "Operand"
    seed: int = 0
    stratified: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """Arithmetic on stored vectors (``steer.expressions``): ``think - 0.5*hedge``."""

    text: str


Operand = Stored | Inline | RandomLike | OrthogonalTo | WithinClass | Expression
