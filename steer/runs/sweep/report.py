"""The report of a sweep: a pure function of its spec and what is done of it."""

from collections.abc import Mapping
from typing import Any

from steer.runs.evaluate.report import report as evaluation_report
from steer.runs.kind import Json
from steer.runs.sweep.cells import Cell
from steer.runs.sweep.map import best_of, cell_map, layers
from steer.runs.sweep.stages import CHOOSING, REPORTING, reporting
from steer.specs import SweepSpec

GRID, MODES = "grid", "modes"
"""Keys of the units whose results say what the cells are, and how alike the modes look."""


def report(spec: SweepSpec, results: Mapping[str, Json]) -> Json:
    """Of the results so far, by unit key.

    ``table``: a row for the baseline and each cell, on the split that chooses. ``layers``: the
    causal layer map. ``modes``: CKA by site. ``best``: the cell that was chosen, and
    ``evaluation``: the report of its evaluation with all controls on the split it was not chosen
    on; both once every cell is done.
    """
    told: dict[str, Any] = {
        "select_n": spec.select_n,
        "report_n": spec.report_n,
        "strengths": list(spec.strengths),
        "seed": spec.seed,
        "modes": results.get(MODES, {}).get(MODES, []),
    }
    if GRID not in results:
        return told
    grid = results[GRID]
    told |= {name: grid[name] for name in ("task", "model")}
    cells = [Cell.from_dict(cell) for cell in grid["cells"]]
    chosen_on = CHOOSING.results(results)
    table = cell_map(cells, chosen_on, grid["task"]["choices"], spec.seed)
    told |= {"table": table, "layers": layers(table)}
    evaluated = REPORTING.results(results)
    if evaluated:
        told["best"] = best_of(cells, chosen_on).to_dict()
        told["evaluation"] = evaluation_report(reporting(spec, ()), evaluated)
    return told
