"""32 interventions, no two alike in op, layer, where and gate; and the stored things they use."""

from collections.abc import Callable, Iterator
from itertools import cycle, islice

import numpy as np

from steer.store import (
    Architecture,
    Card,
    Dictionary,
    DictionarySpec,
    Item,
    LowRank,
    LowRankTensors,
)
from steer.types import (
    Add,
    Arm,
    Decay,
    DecayShape,
    Direction,
    Feature,
    FeatureEdit,
    FeatureMode,
    Gate,
    GateScope,
    Inline,
    Intervention,
    Marker,
    Op,
    Operand,
    Phase,
    Project,
    Range,
    Replace,
    Rotate,
    Site,
    Strength,
    Where,
)
from steer.types import LowRank as LowRankOp

WIDTH, LAYERS = 576, 30
DICTIONARIES = (5, 12, 20)
LOW_RANKS = (8, 16, 24)
LATENTS, RANK = 4096, 4

WHERES = (
    Where(Phase.DECODE),
    Where(Phase.ALL),
    Where(Phase.GENERATED, every=2),
    Where(Phase.DECODE, markers=(Marker(regex="[a-z]", tokens=40),)),
    Where(Phase.DECODE, decay=Decay(DecayShape.EXPONENTIAL, 32)),
    Where(Phase.ALL, ranges=(Range(-4, None),), exclude_token_ids=(1, 2)),
)


def direction(seed: int) -> Operand:
    """A random direction of norm 8."""
    draw = _normal(seed, WIDTH)
    return Inline((Direction((draw * 8 / np.linalg.norm(draw)).astype("<f4").tobytes()),))


def items(fingerprint: str) -> Iterator[Item]:
    """Random dictionaries and low-rank edits for SmolLM2."""
    for layer in DICTIONARIES:
        spec = DictionarySpec(Architecture.JUMPRELU, LATENTS)
        card = Card("smollm2", fingerprint, WIDTH, (Site(layer),), "random", "sae", dictionary=spec)
        arrays = {
            "encoder": _normal(layer, LATENTS, WIDTH) / WIDTH**0.5,
            "decoder": _normal(layer + 1, LATENTS, WIDTH) / WIDTH**0.5,
            "encoder_bias": np.zeros(LATENTS, np.float32),
            "threshold": np.full(LATENTS, 0.1, np.float32),
            "decoder_bias": np.zeros(WIDTH, np.float32),
        }
        yield Dictionary(f"sae-{layer}", card, arrays)
    for layer in LOW_RANKS:
        rotation = np.linalg.qr(_normal(layer, WIDTH, RANK))[0].T.astype(np.float32)
        bias = np.zeros(RANK, np.float32)
        card = Card("smollm2", fingerprint, WIDTH, (Site(layer),), "random", "low_rank")
        tensors = LowRankTensors(rotation, rotation, bias)
        yield LowRank(f"reft-{layer}", card, {Site(layer): tensors})


def arms(count: int = 32) -> list[Arm]:
    """So many arms, each with an intervention unlike all others."""
    chosen = islice(zip(cycle(OPS), cycle(WHERES), range(count), strict=False), count)
    return [
        Arm(f"spec {number}", (_intervention(make(number), where, number),))
        for make, where, number in chosen
    ]


def _intervention(op: Op, where: Where, number: int) -> Intervention:
    layer = number % LAYERS
    sites: tuple[Site, ...] = (Site(layer),)
    if isinstance(op, Feature):
        layer = DICTIONARIES[number % len(DICTIONARIES)]
        sites = ()
    if isinstance(op, LowRankOp):
        layer = LOW_RANKS[number % len(LOW_RANKS)]
        sites = ()
    gate = None
    if number % 2:
        reads = Site(max(layer - 2, 0))
        gate = Gate(reads, -1.0, cosine=direction(100 + number), scope=GateScope.TOKEN)
    return Intervention(op, sites, Strength(0.5), where, gate, keep_norm=number % 5 == 0)


def _feature(number: int) -> Op:
    edits = tuple(FeatureEdit(number + i, 2.0, FeatureMode.ADD) for i in range(3))
    return Feature(f"sae-{DICTIONARIES[number % len(DICTIONARIES)]}", edits)


OPS: tuple[Callable[[int], Op], ...] = (
    lambda number: Add(direction(number)),
    lambda number: Project(direction(number)),
    lambda number: Rotate(direction(number), 10.0),
    _feature,
    lambda number: LowRankOp(f"reft-{LOW_RANKS[number % len(LOW_RANKS)]}"),
    lambda number: Replace(direction(number), fraction=0.1),
    lambda number: Project(direction(number), -1.0, 1.0),
)


def _normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)
