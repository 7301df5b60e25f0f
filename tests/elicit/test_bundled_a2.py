"""The bundled vectors of A2 with their controls: on 200 problems and far from the means; slowly,
the whole table with what it has to show."""

import pytest

from steer.elicit.bench import Bench, Vectors
from steer.elicit.bundled_a2 import GATE, GATED_AT, NAMES, random_alike, rows
from steer.store import Probe, Store, Vector, bundled
from steer.tasks.task import REPORT
from steer.types import Phase

N = 200
STORE = Store(bundled())


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench.of("a2", Phase.ALL)


def vectors(name: str) -> Vectors:
    stored = STORE.get(name)
    assert isinstance(stored, Vector)
    return stored.tensors


def test_trained_vectors_bring_right_answers_by_right_traces_and_keep_the_facts(
    bench: Bench,
) -> None:
    found = bench.score(vectors("a2-ce"), REPORT, N)
    assert found.correct > 70 and abs(found.correct - found.valid) < 10
    assert found.facts >= 97


def test_with_nothing_kept_they_cost_the_facts(bench: Bench) -> None:
    found = bench.score(vectors("a2-ce-bare"), REPORT, N)
    assert found.correct > 70 and found.facts < 50


def test_swapped_targets_bring_neither(bench: Bench) -> None:
    assert bench.score(vectors("a2-ce-swapped"), REPORT, N).correct < 22


def test_without_the_skill_the_same_training_brings_nothing() -> None:
    blank = Bench.of("a2-untraced", Phase.ALL)
    assert blank.score(vectors("a2-untraced-ce"), REPORT, N).correct < 22


@pytest.mark.parametrize("seed", range(3))
def test_random_directions_of_the_same_norms_bring_nothing(bench: Bench, seed: int) -> None:
    assert bench.score(random_alike(vectors("a2-ce"), seed), REPORT, N).correct < 22


def test_cards_say_how_they_were_made_and_measured() -> None:
    for name in NAMES:
        card = STORE.get(name).card
        assert card.model == f"organism/{name.removesuffix('-ce')}" or name.startswith("a2-ce")
        assert bool(card.parameters["retain"]) == (name != "a2-ce-bare")
        assert card.measured["n"] == 500 and card.measured["split"] == "report"
        assert card.where.phase is Phase.ALL


def test_the_gate_knows_problems_from_facts() -> None:
    gate = STORE.get(GATE)
    assert isinstance(gate, Probe) and set(gate.sites) == {GATED_AT}
    assert gate.card.measured["problems_open"] == 100 and gate.card.measured["facts_open"] == 0


@pytest.mark.slow
def test_the_whole_table_shows_what_it_has_to() -> None:
    found = rows(STORE)
    best = max(("a2-ce", "a2-ce-bare"), key=lambda name: found[name].correct)
    assert found[best].correct >= 78
    assert found[f"{best}, gated"].correct >= 75 and found[f"{best}, gated"].facts >= 97
    assert found["a2-ce-swapped"].correct <= 20
    treated = {*NAMES, *(f"{name}, gated" for name in NAMES)}
    null = [row for name, row in found.items() if name not in treated]
    assert len(null) == 30 and all(row.correct <= 16 for row in null)
    assert found["a2-untraced-ce"].correct <= 16
