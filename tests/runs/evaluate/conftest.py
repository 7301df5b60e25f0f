"""Organism A1 behind a real engine, and one small evaluation of its vector."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from steer.engine.embedded.engine import EmbeddedEngine
from steer.engine.scheduler import Limits
from steer.intervene.captures import Captures
from steer.intervene.planner import Planner
from steer.models.load import load
from steer.runs.background import Background
from steer.runs.evaluate.kind import Evaluate
from steer.runs.kind import Unit
from steer.server.recipe_book import RecipeBook
from steer.specs import Controls, EvaluateSpec
from steer.store import Store, bundled
from steer.store.files import open_files
from steer.store.recipes import RecipeFiles
from steer.types import Add, Arm, Intervention, Sampling, Stored

LIMITS = Limits(max_rows=128, kv_tokens=128 * 128, step_tokens=512, max_queue=4096)
SUBJECT = Arm("steered", (Intervention(Add(Stored("a1-rloo"))),))
SPEC = EvaluateSpec(
    task="a1",
    arms=(SUBJECT,),
    controls=Controls.STANDARD,
    n=24,
    strengths=(0.5, 1.0),
    sampling=Sampling(max_tokens=0),
)


def context_of(store: Store) -> Background:
    """Organism A1 with the vectors of a store."""
    model = load("organism/a1")
    engine = EmbeddedEngine(model, LIMITS)
    recipes = RecipeBook(RecipeFiles(open_files(store.root)))
    planner = Planner(engine.info(), store, model.text, engine, recipes, Captures())
    return Background(engine, planner)


@pytest.fixture(scope="session")
def a1() -> Iterator[Background]:
    """Organism A1 with the bundled vectors."""
    context = context_of(Store(bundled()))
    yield context
    context.engine.close()


@dataclass(frozen=True)
class Done:
    """An evaluation that is over."""

    units: list[Unit]
    results: dict[str, Any]
    report: dict[str, Any]

    def rows(self, arm: str, retention: bool = False) -> list[dict[str, Any]]:
        """Records of an arm."""
        found = (row for one in self.results.values() for row in one.get("records", ()))
        return [row for row in found if (row["arm"], row["retention"]) == (arm, retention)]

    def accuracy(self, arm: str) -> float:
        """Share of an arm's problems that are right."""
        rows = self.rows(arm)
        return sum(row["correct"] for row in rows) / len(rows)


def evaluated(spec: EvaluateSpec, context: Background) -> Done:
    """Run an evaluation to its end."""
    kind = Evaluate()
    kind.check(spec, context)
    units = list(kind.units(spec, context))
    found = {unit.key: result for unit, result in kind.execute(spec, units, context)}
    results = {unit.key: found[unit.key] for unit in units}
    return Done(units, results, kind.report(spec, results))


@pytest.fixture(scope="session")
def done(a1: Background) -> Done:
    """The standard evaluation of a1-rloo on a few problems."""
    return evaluated(SPEC, a1)
