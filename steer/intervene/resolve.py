"""Resolving one intervention: its operand, sites, absolute strength and place. No torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from steer.errors import FailedPrecondition, NotImplementedYet, Violations
from steer.intervene.operands import ANYWHERE, Array, Directions, OperandResolver, norm, pick
from steer.intervene.plan import Edit, PlannedIntervention
from steer.store import content_hash
from steer.types import Add, Intervention, ModelInfo, Project, Site, Strength, Unit, Where

MeasureNorms = Callable[[tuple[int, ...], tuple[Site, ...]], Mapping[Site, float]]


@dataclass(frozen=True)
class InterventionResolver:
    """Resolves interventions against a model; collects what is wrong in ``operands``.

    ``measure_norms`` gives mean ‖h‖ over a prompt at sites.
    """

    model: ModelInfo
    measure_norms: MeasureNorms
    operands: OperandResolver

    def resolve(
        self, item: Intervention, path: str, prompt: tuple[int, ...]
    ) -> PlannedIntervention | None:
        """The intervention for a prompt; None when something was wrong (see ``operands``)."""
        found = self.operands.violations
        _check_supported(item, path, found)
        op = item.op
        if not isinstance(op, Add | Project):
            return None
        directions = self.operands.resolve(op.operand, f"{path}.{op.name}.operand")
        if directions is None:
            return None
        sites = self._sites(item.sites, directions, path, found)
        strength = _strength(item, directions)
        if strength.unit is Unit.RELATIVE and isinstance(op, Project):
            message = "a projection's strength is a fraction already; use RAW"
            found.add(f"{path}.strength.unit", "NOT_FOR_PROJECT", message)
        if found or not sites or not prompt:
            return None
        scales = self._scales(strength, sites, directions, prompt)
        bounds = (op.low, op.high) if isinstance(op, Project) else ()
        arrays = {site: _direction(directions, site) for site in sites}
        return PlannedIntervention(
            op=op.name,
            operand=directions.described,
            content_hash=content_hash(arrays),
            edits=tuple(Edit(site, arrays[site], (scales[site], *bounds)) for site in sites),
            where=item.where or (directions.card.where if directions.card else Where()),
            keep_norm=item.keep_norm,
            must_fire=item.must_fire,
        )

    def _sites(
        self, asked: tuple[Site, ...], directions: Directions, path: str, found: Violations
    ) -> tuple[Site, ...]:
        own = tuple(site for site in directions.arrays if site is not ANYWHERE)
        sites = asked or own
        if not sites:
            found.add(f"{path}.sites", "NO_SITE", "an inline vector without sites needs a layer")
        if len(set(sites)) < len(sites):
            found.add(f"{path}.sites", "DUPLICATE_SITE", "each site may be given once")
        for index, site in enumerate(sites):
            at = f"{path}.sites[{index}]"
            if site.layer >= self.model.layers:
                message = f"layer {site.layer} is outside the model (0 to {self.model.layers - 1})"
                found.add(f"{at}.layer", "LAYER_OUT_OF_RANGE", message)
            elif site.point not in self.model.points:
                message = f"this architecture has no {site.point.value}"
                found.add(f"{at}.point", "NO_SUCH_POINT", message, FailedPrecondition)
            elif pick(directions, site) is None:
                has = ", ".join(map(str, own))
                message = f"{directions.described} has no direction at {site}; it has {has}"
                found.add(at, "SITE_MISSING", message)
        return sites

    def _scales(
        self,
        strength: Strength,
        sites: tuple[Site, ...],
        directions: Directions,
        prompt: tuple[int, ...],
    ) -> Mapping[Site, float]:
        if strength.unit is Unit.RAW:
            return dict.fromkeys(sites, strength.value)
        card_norms = directions.card.residual_norms if directions.card else {}
        missing = tuple(site for site in sites if site not in card_norms)
        norms = {**card_norms, **(self.measure_norms(prompt, missing) if missing else {})}
        return {
            site: strength.value * norms[site] / norm(_direction(directions, site))
            for site in sites
        }


def _direction(directions: Directions, site: Site) -> Array:
    array = pick(directions, site)
    assert array is not None
    return array


def _strength(item: Intervention, directions: Directions) -> Strength:
    if item.strength is not None:
        return item.strength
    use_card = directions.card is not None and isinstance(item.op, Add)
    return directions.card.strength if use_card and directions.card else Strength()


def _check_supported(item: Intervention, path: str, found: Violations) -> None:
    where = item.where or Where()
    missing = {
        f".{item.op.name}": not isinstance(item.op, Add | Project),
        ".gate": item.gate is not None,
        ".where.ranges": bool(where.ranges),
        ".where.token_ids": bool(where.token_ids),
        ".where.exclude_token_ids": bool(where.exclude_token_ids),
        ".where.markers": bool(where.markers),
        ".where.every": where.every != 1,
        ".where.decay": where.decay is not None,
    }
    for field, used in missing.items():
        if used:
            message = "is in the contract, this server does not apply it yet"
            found.add(f"{path}{field}", "NOT_IMPLEMENTED", message, NotImplementedYet)
