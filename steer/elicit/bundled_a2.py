"""The bundled vectors of organism A2, their controls, and the table that tells what they do.

`a2-ce` is seven directions, before and after the MLPs, trained on gold traces while the facts are
kept; `a2-ce-bare` the same without keeping anything; `a2-ce-swapped` like `a2-ce` on the traces of
other problems; `a2-untraced-ce` like `a2-ce` for the organism that never saw a right trace. All act
at every position. `a2-gate` is a probe that tells a problem from a fact by the mean of the prompt.
Training used the split `train`, every choice the split `select`; the table is of the split
`report`. `python -m bench.vectors` makes them.
"""

from __future__ import annotations

import numpy as np

from steer.elicit.activations import Array, residuals
from steer.elicit.bench import Bench, Score, Vectors, random_like
from steer.elicit.cards import card, data_hash
from steer.store import Probe, ProbeTensors, Store, Vector
from steer.tasks.a2 import CHAIN
from steer.tasks.task import REPORT, Item
from steer.tasks.world import EOS
from steer.types import Phase, Point, Site

NAMES = ("a2-ce", "a2-ce-bare", "a2-ce-swapped", "a2-untraced-ce")
GATE, GATED_AT = "a2-gate", Site(0, Point.RESID_MID)
REPORTED_ON, RANDOM = 500, 20


def make_gate(bench: Bench) -> Probe:
    """The probe: along the difference of the classes' means, 0.5 half-way between the classes."""
    problems = [_mean(bench, item) for item in bench.task.items("train", 500)]
    known = [_mean(bench, item) for item in bench.task.retention()]
    direction = np.mean(problems, axis=0) - np.mean(known, axis=0)
    inside, outside = np.array(problems) @ direction, np.array(known) @ direction
    low, high = float(outside.max()), float(inside.min())
    scale = 8 / (high - low)
    tensors = ProbeTensors(
        (direction * scale).astype(np.float32),
        np.array([-scale * (high + low) / 2], np.float32),
    )
    made = card(
        bench,
        (GATED_AT,),
        kind="probe",
        method="difference_of_means",
        description="Organism A2: whether a prompt is a problem (1) or asks for a fact (0).",
        parameters={"position": "mean of the prompt", "problems": 500, "facts": len(known)},
        data_hash=data_hash(CHAIN.problems("train", 500)),
        measured={"n": REPORTED_ON, **_opened(bench, tensors)},
    )
    return Probe(GATE, made, {GATED_AT: tensors})


def rows(of: Store) -> dict[str, Score]:
    """The report table of the stored vectors and their controls."""
    bench, blank = (Bench.of(name, Phase.ALL) for name in ("a2", "a2-untraced"))
    gate = of.get(GATE)
    assert isinstance(gate, Probe), f"{GATE} is a {gate.kind}"
    closed = _closed(bench, gate.sites[GATED_AT])
    found = {"default": bench.score({}, REPORT, REPORTED_ON)}
    found["a2-untraced, default"] = blank.score({}, REPORT, REPORTED_ON)
    for name in NAMES:
        measured = bench if of.get(name).card.model == bench.loaded.id else blank
        found[name] = measured.score(_vectors(of, name), REPORT, REPORTED_ON)
    for name in ("a2-ce", "a2-ce-bare"):
        found[f"{name}, gated"] = bench.score(
            _vectors(of, name), REPORT, REPORTED_ON, closed=closed
        )
    vectors = _vectors(of, "a2-ce")
    found["a2-ce, negated"] = bench.score(_negated(vectors), REPORT, REPORTED_ON)
    found["forced 0"] = bench.score({}, REPORT, REPORTED_ON, forced="0")
    for size in bench.task.cues.bias_tokens[EOS]:
        found[f"{EOS} {size:+g}"] = bench.score({}, REPORT, REPORTED_ON, bias={EOS: size})
    for seed in range(RANDOM):
        drawn = random_alike(vectors, seed)
        found[f"random {seed}, norms of a2-ce"] = bench.score(drawn, REPORT, REPORTED_ON)
    return found


def random_alike(vectors: Vectors, seed: int) -> Vectors:
    """An isotropic random direction at each site, with the norm of the vector there."""
    return {at: random_like(v, 100 * seed + i) for i, (at, v) in enumerate(vectors.items())}


def _mean(bench: Bench, item: Item) -> Array:
    hidden = residuals(
        bench.network, [bench.encode(item.prompt.text or "")], [GATED_AT], starts=[0]
    )
    mean: Array = hidden[GATED_AT].mean(0)
    return mean


def _closed(bench: Bench, probe: ProbeTensors) -> frozenset[str]:
    """Ids of report problems and facts for which the gate, with threshold 0.5, stays closed."""
    items = [*bench.task.items(REPORT, REPORTED_ON), *bench.task.retention()]
    return frozenset(
        item.id for item in items if float(_mean(bench, item) @ probe.weight + probe.bias[0]) <= 0
    )


def _opened(bench: Bench, probe: ProbeTensors) -> dict[str, float]:
    closed, known = _closed(bench, probe), {item.id for item in bench.task.retention()}
    return {
        "problems_open": 100 * (1 - len(closed - known) / REPORTED_ON),
        "facts_open": 100 * (1 - len(closed & known) / len(known)),
    }


def _vectors(of: Store, name: str) -> Vectors:
    stored = of.get(name)
    assert isinstance(stored, Vector), f"{name} is a {stored.kind}"
    return stored.tensors


def _negated(vectors: Vectors) -> Vectors:
    return {at: -vector for at, vector in vectors.items()}
