"""What a sweep can not be asked to do; everything wrong is told at once."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from steer.errors import SteerError, Violations
from steer.runs.evaluate.checks import PATH as EVALUATE
from steer.runs.evaluate.checks import check as check_evaluation
from steer.runs.kind import Context
from steer.runs.prompts import check_prompts
from steer.runs.sweep.cells import Grid, grid_of
from steer.runs.sweep.stages import reporting
from steer.runs.tasks import load, task_field
from steer.specs import Controls, SweepSpec
from steer.tasks.task import SELECT, Item
from steer.types import Trial

PATH = "spec.sweep"
MOST_CELLS = 2000
SHOWN = 5
# What an evaluation calls differently. The split is the sweep's own, so it is about the arms.
_NAMES: Mapping[str, str] = {"n": "report_n", "split": "arms"}


def check(spec: SweepSpec, context: Context) -> None:
    """Raises InvalidRequest, NotFound or FailedPrecondition with every violation."""
    found = Violations()
    _arms(spec, context, found)
    if not found:
        _cells(spec, context, found)
    found.raise_if_any()


def _arms(spec: SweepSpec, context: Context, found: Violations) -> None:
    """The arms must be fit to be evaluated on the split that reports."""
    asked = replace(reporting(spec, spec.arms), controls=Controls.NONE)
    found.tried(partial(check_evaluation, asked, context), PATH, _field)


def _field(field: str) -> str:
    inner = field.removeprefix(f"{EVALUATE}.")
    return f"{PATH}.{_NAMES.get(inner, inner)}"


def _cells(spec: SweepSpec, context: Context, found: Violations) -> None:
    grid = grid_of(spec, context)
    if not 0 < len(grid.cells) <= MOST_CELLS:
        what = "no cells: the arms' vectors hold no such point" if not grid.cells else "cells"
        message = f"makes {len(grid.cells)} {what}; give 1 to {MOST_CELLS}"
        found.add(f"{PATH}.layers", "OUT_OF_RANGE", message)
        return
    draw = partial(load(spec.task).items, SELECT, spec.select_n, spec.seed)
    items = found.tried(draw, f"{PATH}.select_n")
    if not items:
        return
    fields = f"{PATH}.{task_field(spec.task)}", f"{PATH}.select_n"
    check_prompts(items, spec.arms, context, fields, found)
    if not found:
        _plans(spec, grid, items[0], context, found)


def _plans(spec: SweepSpec, grid: Grid, item: Item, context: Context, found: Violations) -> None:
    """Plan every cell: a site that is not there, or that a vector has no direction for."""
    told: dict[str, tuple[str, SteerError]] = {}
    for cell in grid.cells:
        trial = Trial(
            item.prompt, (grid.arm(cell),), allow_model_mismatch=spec.allow_model_mismatch
        )
        try:
            context.planner.trial(trial, "")
        except SteerError as error:
            told.setdefault(error.message, (cell.name, error))
    for message, (name, why) in list(told.items())[:SHOWN]:
        found.add(f"{PATH}.layers", why.reason, f"cell {name}: {message}", type(why))
