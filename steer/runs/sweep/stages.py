"""A sweep is two evaluations: of every cell on one split, and of the best of them on another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from steer.runs.kind import Json, Unit
from steer.runs.sweep.cells import Grid
from steer.specs import Controls, EvaluateSpec, SweepSpec
from steer.tasks.task import REPORT, SELECT
from steer.types import Arm


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the two; ``prefix`` begins the keys of its units."""

    prefix: str

    def units(self, units: Iterable[Unit]) -> list[Unit]:
        """Units of an evaluation as units of the sweep."""
        return [replace(unit, key=self.prefix + unit.key) for unit in units]

    def own(self, units: Iterable[Unit]) -> list[Unit]:
        """Units of the sweep that are of this stage, as the evaluation knows them."""
        return [
            replace(unit, key=unit.key.removeprefix(self.prefix))
            for unit in units
            if unit.key.startswith(self.prefix)
        ]

    def results(self, results: Mapping[str, Json]) -> dict[str, Json]:
        """Results of this stage by the evaluation's keys."""
        return {
            key.removeprefix(self.prefix): result
            for key, result in results.items()
            if key.startswith(self.prefix)
        }


CHOOSING, REPORTING = Stage(f"{SELECT}-"), Stage(f"{REPORT}-")


def choosing(spec: SweepSpec, grid: Grid) -> EvaluateSpec:
    """The evaluation of every cell."""
    return _evaluation(spec, grid.arms, SELECT, spec.select_n)


def reporting(spec: SweepSpec, best: Sequence[Arm]) -> EvaluateSpec:
    """The evaluation of the best cell, with its controls; also what is known of it before."""
    asked = _evaluation(spec, tuple(best), REPORT, spec.report_n)
    return replace(asked, controls=Controls.STANDARD, random_seeds=spec.random_seeds, measure=True)


def _evaluation(spec: SweepSpec, arms: tuple[Arm, ...], split: str, n: int) -> EvaluateSpec:
    return EvaluateSpec(
        task=spec.task,
        arms=arms,
        split=split,
        n=n,
        sampling=spec.sampling,
        seed=spec.seed,
        measure=False,
        allow_model_mismatch=spec.allow_model_mismatch,
    )
