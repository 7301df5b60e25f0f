"""Stored things of every kind for the bundled model, random."""

import numpy as np

from steer.store import (
    Architecture,
    Card,
    Dictionary,
    DictionarySpec,
    LowRank,
    LowRankTensors,
    Probe,
    ProbeTensors,
)
from steer.types import Site

SITE = Site(1)
LATENTS = 96


def _card(kind: str, width: int, fingerprint: str, spec: DictionarySpec | None = None) -> Card:
    return Card("test", fingerprint, width, (SITE,), "random", kind=kind, dictionary=spec)


def _normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def sae(width: int, fingerprint: str) -> Dictionary:
    """A standard SAE at ``SITE``."""
    spec = DictionarySpec(Architecture.STANDARD, LATENTS)
    return Dictionary("sae", _card("sae", width, fingerprint, spec), _tensors(width))


def transcoder(width: int, fingerprint: str) -> Dictionary:
    """A standard transcoder from ``SITE`` to the next block."""
    spec = DictionarySpec(Architecture.STANDARD, LATENTS, site_out=Site(SITE.layer + 1))
    return Dictionary("coder", _card("transcoder", width, fingerprint, spec), _tensors(width))


def low_rank(width: int, fingerprint: str) -> LowRank:
    """Two ranks at ``SITE``."""
    rotation = np.linalg.qr(_normal(5, width, 2))[0].T.astype(np.float32)
    tensors = LowRankTensors(rotation, _normal(6, 2, width), _normal(7, 2))
    return LowRank("reft", _card("low_rank", width, fingerprint), {SITE: tensors})


def probe(width: int, fingerprint: str) -> Probe:
    """A probe at ``SITE``."""
    tensors = ProbeTensors(_normal(8, width), _normal(9, 1))
    return Probe("probe", _card("probe", width, fingerprint), {SITE: tensors})


def _tensors(width: int) -> dict[str, np.ndarray]:
    return {
        "encoder": _normal(1, LATENTS, width) / width**0.5,
        "decoder": _normal(2, LATENTS, width) / width**0.5,
        "encoder_bias": _normal(3, LATENTS) * 0.1,
        "decoder_bias": _normal(4, width) * 0.1,
    }
