"""The cells of a sweep: an arm of the spec moved to one site, at one strength."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from steer.measure.records import MeasuredArm, Role
from steer.runs.evaluate.cast import explicit_arm
from steer.runs.evaluate.directions import Sources, operands, scaled
from steer.runs.kind import Context
from steer.specs import SweepSpec
from steer.types import Arm, Point, Site


@dataclass(frozen=True, slots=True)
class Cell:
    """``op``: the name of the spec's arm. ``site``: None where the arm's own sites stay, because it
    has no direction that could go elsewhere. ``strength``: the multiplier of the arm's own."""

    op: str
    site: Site | None
    strength: float

    @property
    def name(self) -> str:
        """The name of its arm, such as ``ablate@resid_post.3×0.5``."""
        place = "" if self.site is None else f"@{self.site}"
        return f"{self.op}{place}×{self.strength:g}"

    @property
    def about(self) -> MeasuredArm:
        """What is measured of it."""
        return MeasuredArm(self.name, Role.STEERED, value=self.strength)

    def arm(self, of: Arm) -> Arm:
        """The arm ``of``, whose strengths are explicit, in this cell."""
        moved = of.interventions
        if self.site is not None:
            moved = tuple(replace(item, sites=(self.site,)) for item in moved)
        return replace(of, name=self.name, interventions=scaled(moved, self.strength))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        site = self.site
        return {
            "name": self.name,
            "op": self.op,
            "layer": None if site is None else site.layer,
            "point": None if site is None else site.point.value,
            "strength": self.strength,
        }

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Cell":
        """The cell that ``to_dict`` told of."""
        bare = told["layer"] is None
        site = None if bare else Site(told["layer"], Point(told["point"]))
        return cls(told["op"], site, told["strength"])


@dataclass(frozen=True, slots=True)
class Grid:
    """All cells, by arm, site and strength in the order given, and the arms they are made from."""

    cells: tuple[Cell, ...]
    sources: tuple[Arm, ...]

    def arm(self, cell: Cell) -> Arm:
        """The arm of a cell."""
        return cell.arm(next(arm for arm in self.sources if arm.name == cell.op))

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms of all cells."""
        return tuple(map(self.arm, self.cells))


def grid_of(spec: SweepSpec, context: Context) -> Grid:
    """All cells. Raises what the planner would of vectors and recipes that are not there."""
    sources = Sources(context, spec.allow_model_mismatch)
    arms = tuple(explicit_arm(arm, sources) for arm in spec.arms)
    cells = (
        Cell(arm.name, site, strength)
        for arm in arms
        for site in _sites(arm, spec, sources)
        for strength in spec.strengths
    )
    return Grid(tuple(cells), arms)


def _sites(arm: Arm, spec: SweepSpec, sources: Sources) -> Sequence[Site | None]:
    own = sorted({site for one in operands(arm.interventions) for site in _own(one, sources)})
    if not own and not spec.layers:
        return [None]
    layers = spec.layers or tuple(_distinct(site.layer for site in own))
    points = spec.points or tuple(_distinct(site.point for site in own)) or (Point.RESID_POST,)
    wanted = [Site(layer, point) for point in points for layer in layers]
    # Without layers or points asked for, only what the vectors hold.
    return [site for site in wanted if site in own] if not spec.layers else wanted


def _own(operand: Any, sources: Sources) -> Iterable[Site]:
    return sources.directions(operand).own_sites


def _distinct(values: Iterable[Any]) -> Iterator[Any]:
    return iter(dict.fromkeys(values))
