"""One small item of every kind and variant, from seeded random numbers."""

from dataclasses import replace

import numpy as np

from steer.store import (
    Architecture,
    Card,
    ClassStatistics,
    Dictionary,
    DictionarySpec,
    Item,
    LowRank,
    LowRankTensors,
    Normalize,
    Probe,
    ProbeTensors,
    Store,
    Vector,
    Version,
    tensors,
)
from steer.types import Point, Site

D, D_SAE, RANK = 8, 24, 3
SITES = (Site(0), Site(2, Point.MLP_OUT))
CARD = Card(model="m", fingerprint="sha256:f", d_model=D, sites=SITES, method="test")

OWN = {
    Architecture.STANDARD: ("encoder_bias",),
    Architecture.TOPK: ("encoder_bias",),
    Architecture.JUMPRELU: ("encoder_bias", "threshold"),
    Architecture.GATED: ("gate_bias", "magnitude_bias", "magnitude_log_scale"),
}


def normal(draw: np.random.Generator, *shape: int) -> np.ndarray:
    return draw.standard_normal(shape).astype(np.float32)


def vector(name: str = "v", seed: int = 0, spread: bool = False) -> Vector:
    """A direction at two sites, with a spread at one of them if asked for."""
    draw = np.random.default_rng(seed)
    classes = {}
    if spread:
        classes[SITES[1]] = ClassStatistics(normal(draw, RANK, D), normal(draw, 2, D))
    return Vector(name, {site: normal(draw, D) for site in SITES}, CARD, classes=classes)


def low_rank(name: str = "v", seed: int = 0) -> LowRank:
    """Another rank at each site."""
    draw = np.random.default_rng(seed)
    sites = {
        site: LowRankTensors(normal(draw, r, D), normal(draw, r, D), normal(draw, r))
        for r, site in enumerate(SITES, 1)
    }
    return LowRank(name, replace(CARD, kind="low_rank"), sites)


def probe(name: str = "v", seed: int = 0) -> Probe:
    draw = np.random.default_rng(seed)
    sites = {site: ProbeTensors(normal(draw, D), normal(draw, 1)) for site in SITES}
    return Probe(name, replace(CARD, kind="probe"), sites)


def dictionary(
    architecture: Architecture = Architecture.STANDARD,
    name: str = "v",
    seed: int = 0,
    site_out: Site | None = None,
    subtract: bool = False,
    skip: bool = False,
    d_sae: int = D_SAE,
) -> Dictionary:
    """A sae, or a transcoder when there is a ``site_out``."""
    draw = np.random.default_rng(seed)
    tensors = {
        "encoder": normal(draw, d_sae, D),
        "decoder": normal(draw, d_sae, D),
        "decoder_bias": normal(draw, D),
        **{own: 0.5 * normal(draw, d_sae) for own in OWN[architecture]},
        **({"skip": normal(draw, D, D)} if skip else {}),
    }
    spec = DictionarySpec(
        architecture,
        d_sae,
        k=5 if architecture is Architecture.TOPK else None,
        normalize=Normalize.LAYER_NORM if subtract else Normalize.NONE,
        apply_b_dec_to_input=subtract,
        site_out=site_out,
    )
    kind = "sae" if site_out is None else "transcoder"
    card = replace(CARD, kind=kind, sites=SITES[:1], dictionary=spec)
    return Dictionary(name, card, tensors)


def every_kind(seed: int = 0) -> dict[str, Item]:
    """One of each, by a word for it."""
    return {
        "direction": vector(seed=seed),
        "direction with spread": vector(seed=seed, spread=True),
        "low_rank": low_rank(seed=seed),
        "probe": probe(seed=seed),
        **{f"sae {a.value}": dictionary(a, seed=seed, subtract=True) for a in Architecture},
        "transcoder": dictionary(seed=seed, site_out=SITES[1]),
        "transcoder with skip": dictionary(seed=seed, site_out=SITES[1], skip=True),
    }


def send(store: Store, name: str, card: Card, arrays: dict[str, np.ndarray]) -> Version:
    """Upload tensors as they are, whether they fit the card or not."""
    size, pieces = tensors.encode(arrays)
    with store.upload(name, card, size) as upload:
        for piece in pieces:
            upload.write(piece)
        return upload.commit()
