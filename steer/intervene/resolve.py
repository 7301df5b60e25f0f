"""Resolving one intervention: its material, sites, absolute strength, place and gate. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steer.errors import FailedPrecondition, Violations
from steer.intervene.captures import Captured, Captures
from steer.intervene.gates import GateResolver, check_latents
from steer.intervene.materials import (
    CapturedMaterial,
    DirectionMaterial,
    FeatureMaterial,
    LowRankMaterial,
    Material,
)
from steer.intervene.operands import OperandResolver
from steer.intervene.plan import Edit, PlannedIntervention
from steer.intervene.ports import Reader, Text
from steer.intervene.shape import check_site, check_where
from steer.intervene.sources import Sources
from steer.intervene.where import acts_before
from steer.store import Card, Dictionary, LowRank
from steer.types import (
    Add,
    Feature,
    Intervention,
    ModelInfo,
    Operand,
    Project,
    Replace,
    Rotate,
    Site,
    Strength,
    Unit,
    Where,
)
from steer.types import LowRank as LowRankOp
from steer.types.operand import LARGEST


@dataclass(frozen=True)
class InterventionResolver:
    """Resolves interventions against a model; collects what is wrong in ``operands``.

    ``sources``: the arms that others are patched from.
    """

    model: ModelInfo
    text: Text
    reader: Reader
    operands: OperandResolver
    captures: Captures
    sources: Sources

    @property
    def _found(self) -> Violations:
        return self.operands.violations

    def resolve(
        self, item: Intervention, path: str, prompt: tuple[int, ...]
    ) -> PlannedIntervention | None:
        """The intervention for a prompt; None when something was wrong (see ``operands``)."""
        if item.where is not None:
            check_where(item.where, f"{path}.where", self.model, self._found)
        _check_unit(item, f"{path}.strength.unit", self._found)
        material = self._material(item, f"{path}.{item.op.name}")
        sites = self._sites(item.sites, material, path)
        gate = None
        if item.gate is not None:
            gates = GateResolver(self.model, self.operands)
            gate = gates.resolve(item.gate, sites, f"{path}.gate")
        if material is None or self._found or not sites or not prompt:
            return None
        scales = self._scales(strength_of(item, material.card), sites, material, prompt)
        edits = tuple(material.edit(site, scales[site]) for site in sites)
        if not _fits(edits, f"{path}.strength", self._found):
            return None
        where = item.where or (material.card.where if material.card else Where())
        return PlannedIntervention(
            path=path,
            op=item.op.name,
            operand=material.described,
            content_hash=material.content(sites),
            edits=edits,
            where=where,
            before_last=acts_before(
                where, prompt, self.text.special, lambda: self.text.stream((), special=True)
            ),
            keep_norm=item.keep_norm,
            must_fire=item.must_fire,
            gate=gate,
        )

    # ---- materials ------------------------------------------------------------------------------

    def _material(self, item: Intervention, path: str) -> Material | None:
        match item.op:
            case Add(operand):
                return self._directions(operand, path)
            case Project(operand, low, high):
                return self._directions(operand, path, normed=True, numbers=(low, high))
            case Rotate(operand, degrees):
                return self._directions(operand, path, normed=True, scale=degrees)
            case Feature():
                return self._feature(item.op, path)
            case LowRankOp(name):
                low_rank = self.operands.item(name, LowRank, "low_rank", f"{path}.vector")
                if low_rank is None:
                    return None
                return LowRankMaterial(low_rank, self._own_card(low_rank.card))
            case Replace(operand=None):
                return self._captured(item.op, item.sites, path)
            case Replace(operand=operand, fraction=fraction):
                assert operand is not None
                return self._directions(operand, path, scale=fraction)

    def _directions(
        self,
        operand: Operand,
        path: str,
        normed: bool = False,
        scale: float = 1.0,
        numbers: tuple[float, ...] = (),
    ) -> Material | None:
        directions = self.operands.resolve(operand, f"{path}.operand")
        if directions is None:
            return None
        return DirectionMaterial(directions, normed, scale, numbers)

    def _feature(self, op: Feature, path: str) -> Material | None:
        dictionary = self.operands.item(op.dictionary, Dictionary, "sae", f"{path}.dictionary")
        if dictionary is None:
            return None
        if dictionary.kind != "sae":
            message = (
                f"{op.dictionary!r} is a transcoder: it reads at one site and writes at another"
            )
            self._found.add(f"{path}.dictionary", "WRONG_KIND", message, FailedPrecondition)
            return None
        indices = tuple(edit.index for edit in op.edits)
        paths = tuple(f"{path}.edits[{place}].index" for place in range(len(indices)))
        if not check_latents(indices, dictionary, paths, self._found):
            return None
        return FeatureMaterial(dictionary, op.edits, self._own_card(dictionary.card))

    def _captured(self, op: Replace, sites: tuple[Site, ...], path: str) -> CapturedMaterial | None:
        if op.source_arm:
            captured = self.sources.get(op.source_arm, sites, path, self._found)
            described = f"arm {op.source_arm}"
        elif op.capture_id:
            captured, described = self._kept(op.capture_id, path), f"capture {op.capture_id}"
        else:
            return None  # reported when it was read
        if captured is None:
            return None
        position = op.source_position
        if position is not None:
            position += captured.prompt_length if position < 0 else 0
            for site, (positions, _) in captured.activations.items():
                if position not in positions:
                    message = (
                        f"is {op.source_position}; the source has {len(positions)} positions at "
                        f"{site}, from {min(positions)} to {max(positions)}"
                    )
                    at = f"{path}.source_position"
                    self._found.add(at, "NO_SUCH_POSITION", message, FailedPrecondition)
                    return None
        return CapturedMaterial(described, captured, position, op.fraction)

    def _kept(self, capture_id: str, path: str) -> Captured | None:
        captured = self.captures.get(capture_id)
        path = f"{path}.capture_id"
        if captured is None:
            message = f"no capture {capture_id!r} is held; it may have had to go for later ones"
            self._found.add(path, "NO_SUCH_CAPTURE", message, FailedPrecondition)
            return None
        widths = {values.shape[-1] for _, values in captured.activations.values()}
        if widths != {self.model.d_model}:
            message = f"has width {widths}, the model has {self.model.d_model}"
            self._found.add(path, "WIDTH_MISMATCH", message, FailedPrecondition)
            return None
        return captured

    def _own_card(self, card: Card) -> Card | None:
        return card if self.operands.made_here(card) else None

    # ---- sites, place, strength -----------------------------------------------------------------

    def _sites(
        self, asked: tuple[Site, ...], material: Material | None, path: str
    ) -> tuple[Site, ...]:
        sites = asked or (material.own_sites if material else ())
        if not sites and material:
            message = "an inline vector without sites needs a layer"
            self._found.add(f"{path}.sites", "NO_SITE", message)
        if len(set(sites)) < len(sites):
            self._found.add(f"{path}.sites", "DUPLICATE_SITE", "each site may be given once")
        for index, site in enumerate(sites):
            at = f"{path}.sites[{index}]"
            there = check_site(site, self.model, at, self._found)
            if there and material and not material.fits(site):
                has = ", ".join(map(str, material.own_sites))
                if isinstance(material, FeatureMaterial):
                    message = f"{material.described} reads at {has}, not at {site}"
                    self._found.add(at, "SITE_MISMATCH", message, FailedPrecondition)
                    continue
                message = f"{material.described} has nothing at {site}; it has {has}"
                self._found.add(at, "SITE_MISSING", message)
        return sites

    def _scales(
        self,
        strength: Strength,
        sites: tuple[Site, ...],
        material: Material,
        prompt: tuple[int, ...],
    ) -> Mapping[Site, float]:
        if strength.unit is Unit.RAW:
            return dict.fromkeys(sites, strength.value)
        card_norms = material.card.residual_norms if material.card else {}
        missing = tuple(site for site in sites if site not in card_norms)
        norms = {**card_norms, **(self.reader.norms(prompt, missing) if missing else {})}
        return {site: strength.value * norms[site] / material.norm(site) for site in sites}


def strength_of(item: Intervention, card: Card | None) -> Strength:
    """The strength asked for, or that ``card`` says its vector is added with."""
    if item.strength is not None:
        return item.strength
    return card.strength if card is not None and isinstance(item.op, Add) else Strength()


def _fits(edits: Sequence[Edit], path: str, found: Violations) -> bool:
    """Whether float32, in which activations are computed, holds what multiplies the operand."""
    large = [edit for edit in edits if abs(edit.coefficient) > LARGEST]
    for edit in large:
        message = f"comes to {edit.coefficient:g} at {edit.site}, beyond float32; give less"
        found.add(path, "TOO_LARGE", message, FailedPrecondition)
    return not large


def _check_unit(item: Intervention, path: str, found: Violations) -> None:
    if isinstance(item.op, Add) or item.strength is None or item.strength.unit is Unit.RAW:
        return
    message = f"{item.op.name} has no vector whose norm it could be relative to; use RAW"
    found.add(path, f"NOT_FOR_{item.op.name.upper()}", message)
