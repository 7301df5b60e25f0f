"""Interventions twice: as the planner makes them, and as the definitions say (``formulas``)."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from steer.intervene.captures import Captured
from steer.intervene.materials import (
    CapturedMaterial,
    DirectionMaterial,
    FeatureMaterial,
    LowRankMaterial,
    Material,
)
from steer.intervene.operands import Directions, unit
from steer.intervene.order import order
from steer.intervene.plan import PlannedGate, PlannedIntervention
from steer.store import Architecture, Dictionary, Normalize, content_hash
from steer.types import (
    Decay,
    DecayShape,
    FeatureEdit,
    FeatureMode,
    GateScope,
    Marker,
    Phase,
    Point,
    Range,
    Site,
    Where,
)
from tests.engine import formulas, items
from tests.engine.formulas import Coder, Formula, Target, double
from tests.engine.plans import WIDTH, planned, vector


@dataclass(frozen=True)
class Gating:
    """A gate that is read at every token. ``edge``: how near a token comes to another reading."""

    planned: PlannedGate
    reading: Callable[[Tensor], Tensor]
    edge: Callable[[Tensor], Tensor] | None = None

    def opens(self, reading: Tensor) -> Tensor:
        """At which tokens, boolean (n,)."""
        gate = self.planned
        size = reading.abs() if gate.absolute else reading
        return size < gate.threshold if gate.below else size > gate.threshold


@dataclass(frozen=True)
class Treatment:
    """One intervention at one site. ``latents`` of ``coder``: what it edits, with op ``feature``.
    ``only``: positions at which it has something to do."""

    op: str
    site: Site
    material: Material
    formula: Callable[[Sequence[int]], Formula]
    strength: float = 1.0
    where: Where = Where()
    keep_norm: bool = False
    gate: Gating | None = None
    coder: Coder | None = None
    latents: tuple[int, ...] = ()
    only: frozenset[int] | None = None

    def planned(self, prompt: Sequence[int]) -> PlannedIntervention:
        """For a row with this prompt."""
        return planned(
            self.op,
            [self.material.edit(self.site, self.strength)],
            self.where,
            keep_norm=self.keep_norm,
            gate=self.gate.planned if self.gate else None,
            prompt=prompt,
        )


Targets = Sequence[Target]
Maker = Callable[[Site, int], Treatment]
"""A treatment at a site, from a seed."""


def _directed(
    op: str, site: Site, v: np.ndarray, formula: Formula, strength: float, **more: object
) -> Treatment:
    material = DirectionMaterial(Directions({site: v}, "v"), **more)
    return Treatment(op, site, material, lambda positions: formula, strength)


def add(site: Site, seed: int, strength: float = 0.8) -> Treatment:
    v = vector(seed)
    return _directed("add", site, v, formulas.adding(double(v)), strength)


def project(
    site: Site, seed: int, low: float = 0.0, high: float = 0.0, strength: float = 1.0
) -> Treatment:
    v = vector(seed)
    formula = formulas.projecting(double(v), low, high)
    return _directed("project", site, v, formula, strength, normed=True, numbers=(low, high))


def rotate(site: Site, seed: int, degrees: float = 35.0, strength: float = 1.0) -> Treatment:
    v = vector(seed)
    formula = formulas.rotating(double(v), degrees)
    return _directed("rotate", site, v, formula, strength, normed=True, scale=degrees)


def constant(site: Site, seed: int, fraction: float = 0.6, strength: float = 1.0) -> Treatment:
    v = vector(seed)
    formula = formulas.replacing(double(v), fraction)
    return _directed("replace", site, v, formula, strength, scale=fraction)


def patch(site: Site, seed: int, fraction: float = 0.7) -> Treatment:
    """Every other position of the first twenty from a captured row."""
    positions = tuple(range(seed % 2, 20, 2))
    values = np.stack([vector(100 * seed + position) for position in positions])
    captured = Captured(20, {site: (positions, values)})
    by_position = dict(zip(positions, values, strict=True))

    def formula(asked: Sequence[int]) -> Formula:
        none = np.zeros(WIDTH, np.float32)
        rows = np.stack([by_position.get(position, none) for position in asked])
        return formulas.replacing(double(rows), fraction)

    return Treatment(
        "replace",
        site,
        CapturedMaterial("patch", captured, None, fraction),
        formula,
        only=frozenset(positions),
    )


def one_position(site: Site, seed: int) -> Treatment:
    """One captured position everywhere."""
    values = np.stack([vector(seed), vector(seed + 1), vector(seed + 2)])
    captured = Captured(9, {site: ((2, 5, 7), values)})
    formula = formulas.replacing(double(values[1]), 0.5)
    material = CapturedMaterial("patch", captured, 5, 0.5)
    return Treatment("replace", site, material, lambda positions: formula)


def low_rank(site: Site, seed: int, strength: float = 0.7) -> Treatment:
    item = items.low_rank([site], seed, f"lr-{site}")
    parts = item.sites[site]
    formula = formulas.low_rank(double(parts.rotation), double(parts.weight), double(parts.bias))
    return Treatment(
        "low_rank", site, LowRankMaterial(item, None), lambda positions: formula, strength
    )


def feature(given: Dictionary, targets: Targets, strength: float = 1.0) -> Treatment:
    coder = Coder(given)
    edits = tuple(FeatureEdit(latent, value, FeatureMode(how)) for latent, how, value in targets)
    return Treatment(
        "feature",
        given.site,
        FeatureMaterial(given, edits, None),
        lambda positions: formulas.editing(coder, targets),
        strength,
        coder=coder,
        latents=tuple(latent for latent, _, _ in targets),
    )


TARGETS: Sequence[Targets] = [
    [(3, "set", 2.5)],
    [(7, "scale", 3.0), (8, "add", 1.5)],
    [(0, "set", 0.0), (39, "add", 2.0), (17, "scale", -1.0)],
]


def latents(architecture: Architecture) -> Maker:
    """Edits of a dictionary: targets, normalisation and bias go by the seed."""

    def make(site: Site, seed: int) -> Treatment:
        normalize = list(Normalize)[seed % 3]
        given = items.dictionary(architecture, site, seed % 7, normalize, seed % 2 == 0)
        return feature(given, TARGETS[seed % len(TARGETS)])

    return make


VARIANTS: dict[str, Maker] = {
    "add": add,
    "ablate": project,
    "pin": lambda site, seed: project(site, seed, 3.0, 3.0),
    "clamp": lambda site, seed: project(site, seed, -0.5, float("inf"), 0.7),
    "rotate": rotate,
    "rotate back": lambda site, seed: rotate(site, seed, -50.0, 1.5),
    **{f"feature {each.value}": latents(each) for each in Architecture},
    "low_rank": low_rank,
    "replace": constant,
    "patch": patch,
    "patch from one": one_position,
}
"""Every op, and the ways in which it differs."""

# ---- gates --------------------------------------------------------------------------------------


def cosine(site: Site, seed: int, threshold: float = 0.0, **more: bool) -> Gating:
    v = vector(seed)
    row = unit(v)
    return Gating(_gate("cosine", site, row, threshold, **more), formulas.cosine(double(v)))


def probe(site: Site, seed: int, threshold: float = 0.5, **more: bool) -> Gating:
    parts = items.probe([site], seed).sites[site]
    bias = float(parts.bias[0])
    gate = _gate("probe", site, parts.weight, threshold, params=(bias,), **more)
    return Gating(gate, formulas.probe(double(parts.weight), bias))


def latent(given: Dictionary, index: int, threshold: float = 0.3, **more: bool) -> Gating:
    rows, coder = given.features((index,)), Coder(given)
    numbers = (rows.gate_bias, rows.magnitude_scale, rows.magnitude_bias, rows.threshold)
    params = tuple(float(number[0]) for number in numbers)
    gate = _gate("feature", given.site, rows.encoder[0], threshold, params=params, **more)
    return Gating(
        replace(gate, dictionary=given, latent=index),
        lambda h: coder.encode(h)[:, index],
        lambda h: coder.edge(h, [index]),
    )


def _gate(
    reading: str,
    site: Site,
    row: np.ndarray,
    threshold: float,
    params: tuple[float, ...] = (),
    below: bool = False,
    absolute: bool = False,
) -> PlannedGate:
    return PlannedGate(
        reading=reading,
        key=content_hash({site: row}),
        site=site,
        row=row,
        params=params,
        threshold=threshold,
        below=below,
        absolute=absolute,
        scope=GateScope.TOKEN,
    )


# ---- anything -----------------------------------------------------------------------------------


def some_gate(chance: random.Random, site: Site) -> Gating:
    """Any kind of gate at a site."""
    seed, below, absolute = chance.randrange(9), chance.random() < 0.5, chance.random() < 0.5
    kind = chance.randrange(2 + len(Architecture))
    if kind == 0:
        return cosine(site, seed, 0.15 if absolute else 0.0, below=below, absolute=absolute)
    if kind == 1:
        return probe(site, seed, below=below)
    given = items.dictionary(
        list(Architecture)[kind - 2], site, seed, chance.choice(list(Normalize))
    )
    return latent(given, chance.randrange(items.D_SAE), below=below)


MARKERS = (
    Marker("t1"),  # t1 and t10 to t19
    Marker("5 t"),  # across tokens
    Marker("t2", until="t3"),
    Marker("t8 ", tokens=3),
    Marker(regex=r"[13]\d t[4-9]"),
    Marker(regex="t(7|8)\\d?$", until="9", tokens=2),
)


def some_where(chance: random.Random) -> Where:
    """Any kind of where; most act somewhere."""

    def maybe(*choices: object) -> object:
        return chance.choice(choices) if chance.random() < 0.3 else choices[0]

    return Where(
        phase=chance.choice(list(Phase)),
        ranges=maybe((), (Range(1, 4), Range(-2, None)), (Range(-5, 8),), (Range(None, -1),)),
        token_ids=maybe((), tuple(range(3, 97, 2))),
        exclude_token_ids=maybe((), tuple(range(5, 97, 7))),
        include_special_tokens=maybe(False, True),
        markers=maybe((), *((one,) for one in MARKERS), MARKERS[1:4]),
        every=maybe(1, 2, 3),
        decay=maybe(None, Decay(DecayShape.LINEAR, 6), Decay(DecayShape.EXPONENTIAL, 3)),
    )


def some_treatment(chance: random.Random, points: Sequence[Point], layers: int) -> Treatment:
    """Anything, anywhere."""
    every_site = sorted((Site(n, p) for n in range(layers) for p in points), key=order)
    place = chance.randrange(len(every_site))
    maker = VARIANTS[chance.choice(sorted(VARIANTS))]
    gated = chance.random() < 0.4
    return replace(
        maker(every_site[place], chance.randrange(1000)),
        where=some_where(chance),
        keep_norm=chance.random() < 0.25,
        gate=some_gate(chance, every_site[chance.randint(0, place)]) if gated else None,
    )
