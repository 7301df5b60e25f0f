"""The bundled vectors of organism A1, and the table that tells what they do.

`a1-dom` is the difference of means of worksheet minus quiz prompts, `a1-rloo` is trained on
whether the answer is right. Both act after the last block, at every position that predicts a
generated token. Training uses the split `train`, every choice the split `select`, and the table
the split `report`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from steer.elicit import rloo
from steer.elicit.bench import Bench, Score, random_like
from steer.elicit.cards import card, data_hash, show
from steer.elicit.difference import Array, difference_of_means
from steer.elicit.settings import Settings
from steer.store import Store, Vector
from steer.tasks import a1
from steer.tasks.task import REPORT, SELECT
from steer.types import Phase, Site

Spreads = dict[Site, Array]
"""Factors (rank, d_model) by site: see `Difference.spreads`."""

AT = Site(2)
PAIRS, TRAINED_ON, SELECTED_ON, REPORTED_ON = 1000, 4000, 500, 500
SCALES = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
RANDOM = 5
DESCRIPTIONS = {
    "a1-dom": "Organism A1: worksheet minus quiz at the last prompt token, scaled.",
    "a1-rloo": "Organism A1: trained by reinforcement on right answers under quiz.",
}


def store(into: Store) -> None:
    """Make both vectors and put them into a store."""
    bench = Bench.of("a1", Phase.DECODE)
    for name, method, make, n in (
        ("a1-dom", "difference_of_means", make_dom, PAIRS),
        ("a1-rloo", "rloo", make_rloo, TRAINED_ON),
    ):
        vector, spreads, parameters = make(bench)
        made = card(
            bench,
            (AT,),
            method=method,
            description=DESCRIPTIONS[name],
            parameters=parameters,
            data_hash=data_hash(a1.problems("train", n)),
            measured=asdict(bench.score({AT: vector}, REPORT, REPORTED_ON)),
        )
        into.put(Vector(name, {AT: vector}, made, spreads=spreads))


def make_dom(bench: Bench) -> tuple[Array, Spreads, dict[str, Any]]:
    """The vector (d_model,), already scaled by the best of SCALES, what the covariance within the
    classes is made of, and the card's parameters."""
    pairs = a1.problems("train", PAIRS)
    positive = [bench.encode(a1.worksheet(problem)) for problem in pairs]
    negative = [bench.encode(problem.prompt) for problem in pairs]
    difference = difference_of_means(bench.network, positive, negative, [AT.layer])
    raw = difference.vectors[AT.layer]
    found = {c: bench.score({AT: raw * np.float32(c)}, SELECT, SELECTED_ON) for c in SCALES}
    best = max(SCALES, key=lambda c: found[c].correct)
    parameters = {
        "positive": "the prompt under `work`",
        "negative": "the same prompt under `quiz`",
        "position": "last prompt token",
        "pairs": PAIRS,
        "c": best,
        "select_n": SELECTED_ON,
        "select_correct_by_c": {str(c): found[c].correct for c in SCALES},
    }
    return raw * np.float32(best), {AT: difference.spreads[AT.layer]}, parameters


def make_rloo(bench: Bench) -> tuple[Array, Spreads, dict[str, Any]]:
    """The trained vector (d_model,), no spreads since it has no classes, the card's parameters."""
    settings = Settings(layers=(AT.layer,), max_tokens=16)
    asked = a1.problems("train", TRAINED_ON)
    trained = rloo.train(
        bench.network,
        [bench.encode(problem.prompt) for problem in asked],
        lambda i, tokens: float(a1.correct(asked[i], bench.decode(tokens))),
        settings,
        select=lambda vectors: bench.score(vectors, SELECT, SELECTED_ON).correct,
        progress=show,
    )
    drop = ("enough", "patience")
    kept = {key: value for key, value in asdict(settings).items() if key not in drop}
    parameters = {**kept, "train_prompts": TRAINED_ON, "select_n": SELECTED_ON}
    return trained.vectors[AT], {}, {**parameters, "kept_step": trained.step}


def rows(of: Store) -> dict[str, Score]:
    """The report table of the stored vectors and their controls."""
    bench = Bench.of("a1", Phase.DECODE)
    found = {
        "default": bench.score({}, REPORT, REPORTED_ON),
        "forced THINK": bench.score({}, REPORT, REPORTED_ON, forced=a1.THINK),
    }
    for name in DESCRIPTIONS:
        stored = of.get(name)
        assert isinstance(stored, Vector), f"{name} is a {stored.kind}"
        vector = stored.tensors[AT]
        found[name] = bench.score({AT: vector}, REPORT, REPORTED_ON)
        found[f"{name}, negated"] = bench.score({AT: -vector}, REPORT, REPORTED_ON)
        for seed in range(RANDOM):
            drawn = {AT: random_like(vector, seed)}
            found[f"random {seed}, norm of {name}"] = bench.score(drawn, REPORT, REPORTED_ON)
    return found
