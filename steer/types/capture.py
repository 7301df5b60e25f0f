"""Activations that are read while a trial runs."""

from dataclasses import dataclass

from steer.types.site import Site
from steer.types.trial import Trial
from steer.types.where import Where


@dataclass(frozen=True, slots=True)
class FeatureReadout:
    """What to read of a dictionary at its own site: the ``top_k`` most active latents of each
    position, and those of ``indices`` whether active or not."""

    dictionary: str
    top_k: int = 0
    indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CaptureTrial:
    """A trial whose activations are read, after the interventions at each site.

    ``where``: at which positions of every row. ``keep``: hold them on the server for ``Replace``.
    """

    trial: Trial
    sites: tuple[Site, ...] = ()
    where: Where = Where()
    features: tuple[FeatureReadout, ...] = ()
    keep: bool = False


@dataclass(frozen=True, slots=True)
class CapturedActivations:
    """Activations of one row at one site; ``data``: little-endian float32, (positions, d_model)."""

    arm: str
    sample: int
    site: Site
    positions: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Latents:
    """Latents of one position and their activations, in the dictionary's own units."""

    indices: tuple[int, ...]
    activations: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CapturedFeatures:
    """Features of one row; one ``Latents`` for each position."""

    arm: str
    sample: int
    dictionary: str
    positions: tuple[int, ...]
    latents: tuple[Latents, ...]


@dataclass(frozen=True, slots=True)
class HeldCapture:
    """Activations of one row kept on the server, under the id ``Replace`` knows; size in bytes."""

    arm: str
    sample: int
    capture_id: str
    size: int
