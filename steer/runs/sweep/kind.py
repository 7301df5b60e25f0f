"""The kind ``sweep``: where and how strongly an arm acts best, measured where it was not chosen."""

from collections.abc import Iterator, Mapping, Sequence

from steer.runs.evaluate.kind import Evaluate
from steer.runs.kind import Context, Json, Unit
from steer.runs.sweep.cells import Grid, grid_of
from steer.runs.sweep.checks import check
from steer.runs.sweep.map import best_of
from steer.runs.sweep.modes import modes
from steer.runs.sweep.report import GRID, MODES, report
from steer.runs.sweep.stages import CHOOSING, REPORTING, choosing, reporting
from steer.runs.tasks import load
from steer.specs import SweepSpec

_EVALUATE = Evaluate()


class Sweep:
    """See ``steer.runs.kind.Kind``."""

    name = SweepSpec.kind

    def check(self, spec: SweepSpec, context: Context) -> None:
        """Judge a spec."""
        check(spec, context)

    def units(self, spec: SweepSpec, context: Context) -> Sequence[Unit]:
        """The grid, the modes, the cells on one split, and what becomes the best on the other."""
        grid = grid_of(spec, context)
        # Which problems there are does not depend on which cell it will be.
        later = reporting(spec, grid.arms[:1])
        return [
            Unit(GRID),
            Unit(MODES),
            *CHOOSING.units(_EVALUATE.units(choosing(spec, grid), context)),
            *REPORTING.units(_EVALUATE.units(later, context)),
        ]

    def execute(
        self, spec: SweepSpec, units: Sequence[Unit], context: Context
    ) -> Iterator[tuple[Unit, Json]]:
        """Do the units: the report split is touched when every cell is done."""
        grid, task = grid_of(spec, context), load(spec.task)
        for unit in units:
            if unit.key == GRID:
                yield unit, _told(spec, grid, context)
            elif unit.key == MODES:
                yield unit, modes(spec, task, context)
        results: dict[str, Json] = {}
        for unit, result in _EVALUATE.execute(choosing(spec, grid), CHOOSING.own(units), context):
            results[unit.key] = result
            yield from zip(CHOOSING.units([unit]), [result], strict=True)
        pending = REPORTING.own(units)
        if pending:
            best = best_of(grid.cells, _chosen_on(spec, grid, context, results))
            asked = reporting(spec, [grid.arm(best)])
            for unit, result in _EVALUATE.execute(asked, pending, context):
                yield from zip(REPORTING.units([unit]), [result], strict=True)

    def report(self, spec: SweepSpec, results: Mapping[str, Json]) -> Json:
        """The report so far."""
        return report(spec, results)


def _chosen_on(
    spec: SweepSpec, grid: Grid, context: Context, results: Mapping[str, Json]
) -> dict[str, Json]:
    """Results of every unit of the first stage, those of an earlier life of the run too."""
    found = dict(results)
    for unit in _EVALUATE.units(choosing(spec, grid), context):
        (stored,) = CHOOSING.units([unit])
        if unit.key not in found:
            found[unit.key] = context.done(stored.key)
    return found


def _told(spec: SweepSpec, grid: Grid, context: Context) -> Json:
    task, model = load(spec.task), context.model
    return {
        "cells": [cell.to_dict() for cell in grid.cells],
        "task": {"name": task.name, "description": task.description, "choices": task.choices},
        "model": {"id": model.id, "revision": model.revision, "fingerprint": model.fingerprint},
    }
