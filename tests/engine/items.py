"""Stored things that fit the tiny models, from seeded random numbers."""

from collections.abc import Sequence

import numpy as np

from steer.store import (
    Architecture,
    Card,
    Dictionary,
    DictionarySpec,
    LowRank,
    LowRankTensors,
    Normalize,
    Probe,
    ProbeTensors,
    Vector,
)
from steer.types import Site
from tests.engine.plans import WIDTH, vector

D_SAE, K, RANK = 40, 6, 3


def card(
    sites: Sequence[Site], kind: str, fingerprint: str = "sha256:tiny", **more: object
) -> Card:
    """A card of something made for the model with this fingerprint."""
    return Card("tiny", fingerprint, WIDTH, tuple(sites), "test", kind, **more)


def normal(draw: np.random.Generator, *shape: int) -> np.ndarray:
    return draw.standard_normal(shape).astype(np.float32)


def dictionary(
    architecture: Architecture,
    site: Site,
    seed: int = 0,
    normalize: Normalize = Normalize.NONE,
    subtract: bool = False,
    name: str = "",
    fingerprint: str = "sha256:tiny",
) -> Dictionary:
    """Encoder rows of norm 1/2 or so: activations are of the size of h."""
    draw = np.random.default_rng(seed)
    own = {
        Architecture.STANDARD: ("encoder_bias",),
        Architecture.TOPK: ("encoder_bias",),
        Architecture.JUMPRELU: ("encoder_bias", "threshold"),
        Architecture.GATED: ("gate_bias", "magnitude_bias", "magnitude_log_scale"),
    }[architecture]
    tensors = {
        "encoder": 0.1 * normal(draw, D_SAE, WIDTH),
        "decoder": 0.2 * normal(draw, D_SAE, WIDTH),
        "decoder_bias": 0.3 * normal(draw, WIDTH),
        **{each: 0.2 * normal(draw, D_SAE) for each in own},
    }
    k = K if architecture is Architecture.TOPK else None
    spec = DictionarySpec(architecture, D_SAE, k, normalize, subtract)
    name = name or f"{architecture.value}-{normalize.value}-{subtract}-{seed}"
    made = card([site], "sae", fingerprint, dictionary=spec)
    return Dictionary(name.lower(), made, tensors, f"sha256:{name}-{site}")


def low_rank(
    sites: Sequence[Site], seed: int = 0, name: str = "lr", fingerprint: str = "sha256:tiny"
) -> LowRank:
    """Orthonormal R, any W and b."""
    draw = np.random.default_rng(seed)
    made = {
        site: LowRankTensors(
            np.linalg.qr(draw.standard_normal((WIDTH, RANK)))[0].T.astype(np.float32),
            0.2 * normal(draw, RANK, WIDTH),
            normal(draw, RANK),
        )
        for site in sites
    }
    return LowRank(name, card(sites, "low_rank", fingerprint), made, f"sha256:{name}-{seed}")


def probe(
    sites: Sequence[Site], seed: int = 0, name: str = "probe", fingerprint: str = "sha256:tiny"
) -> Probe:
    """σ(w·h + b) on both sides of 1/2."""
    draw = np.random.default_rng(seed)
    made = {site: ProbeTensors(0.2 * normal(draw, WIDTH), normal(draw, 1)) for site in sites}
    return Probe(name, card(sites, "probe", fingerprint), made, f"sha256:{name}-{seed}")


def direction(
    sites: Sequence[Site],
    seed: int = 0,
    name: str = "v",
    fingerprint: str = "sha256:tiny",
    **more: object,
) -> Vector:
    """A direction of norm 8 at each site."""
    tensors = {site: vector(seed + place) for place, site in enumerate(sites)}
    return Vector(name, tensors, card(sites, "direction", fingerprint, **more))
