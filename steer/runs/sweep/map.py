"""What the cells did on the split that chooses, and which of them is the best."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from steer.measure.plain import rows
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.summary import summarise
from steer.runs.kind import Json
from steer.runs.sweep.cells import Cell
from steer.types import BASELINE


def cell_map(
    cells: Sequence[Cell], results: Mapping[str, Json], choices: int | None, seed: int
) -> list[dict[str, Any]]:
    """A row for the baseline and for each cell that has results: the cell and its numbers, p values
    corrected over all cells (Holm), of accuracy and of retention apart. Empty without results."""
    records = [
        Record.from_dict(row) for result in results.values() for row in result.get("records", ())
    ]
    if not any(one.arm == BASELINE and not one.retention for one in records):
        return []
    arms = [MeasuredArm(BASELINE, Role.BASELINE), *(cell.about for cell in cells)]
    summary = summarise(records, arms, choices=choices, seed=seed)
    told = {cell.name: cell.to_dict() for cell in cells}
    told[BASELINE] = dict.fromkeys(cells[0].to_dict())
    return [told[row["arm"]] | row | {"name": row["arm"]} for row in rows(summary)]


def best_of(cells: Sequence[Cell], results: Mapping[str, Json]) -> Cell:
    """The cell with the most right answers; of equals the one that retains more, then the weaker.

    The same results, in any order, give the same cell.
    """
    records: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for result in results.values():
        for row in result.get("records", ()):
            records[row["arm"]].append(row)

    def worth(cell: Cell) -> tuple[float, float, float, str]:
        rows = records[cell.name]
        return (
            _share(row["correct"] for row in rows if not row["retention"]),
            _share(row["correct"] for row in rows if row["retention"]),
            -abs(cell.strength),
            cell.name,
        )

    return max(cells, key=worth)


def layers(table: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The causal layer map: at each site and for each op the cell that gains the most, with what it
    does to reasoning (the task) and to knowledge (what is to be retained).

    Source: methods of Yang et al. on knowledge low and reasoning high in the stack, made causal:
    each layer is steered, and both changes are told.
    """
    found: dict[tuple[str, Any, Any], Mapping[str, Any]] = {}
    for row in table:
        if row["layer"] is None:
            continue
        key = (row["op"], row["point"], row["layer"])
        if key not in found or row["difference"] > found[key]["difference"]:
            found[key] = row
    return [
        {
            **{name: row[name] for name in ("name", "op", "point", "layer", "strength")},
            "reasoning": row["difference"],
            "reasoning_p_holm": row["p_holm"],
            "knowledge": row["retention_difference"],
            "knowledge_p_holm": row["retention_p_holm"],
        }
        for row in found.values()
    ]


def _share(values: Iterable[bool]) -> float:
    given = list(values)
    return sum(given) / len(given) if given else 0.0
