"""Proof of what an intervention did."""

from dataclasses import dataclass

from steer.types.site import Site


@dataclass(frozen=True, slots=True)
class GateReceipt:
    """What a gate did in one row: how often it was read (once where it is decided once, else at
    every token that all else let through) and was open, and the mean reading."""

    readings: int
    opened: int
    mean_reading: float


@dataclass(frozen=True, slots=True)
class FeatureReceipt:
    """Mean activations of a latent over the touched positions, before the site's interventions and
    encoded again from what was written, in the dictionary's own units."""

    index: int
    mean_before: float
    mean_after: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of what one intervention did at one site in one row.

    ``intervention``: its index in the arm. ``operand``: in words. ``coefficient``: what the op took
    for s there: a relative strength as the multiple of v that it came to; of ``rotate`` in degrees,
    of ``replace`` with its fraction. ``tokens``: positions touched. ``mean_change``: mean over them
    of ‖Δ‖/‖h‖, both norms taken in float32 with h before the change; 0 when no token was touched.
    ``features``: of the op ``feature``, in the order of its edits.
    """

    intervention: int
    op: str
    operand: str
    content_hash: str
    site: Site
    coefficient: float
    tokens: int
    mean_change: float
    gate: GateReceipt | None = None
    features: tuple[FeatureReceipt, ...] = ()
