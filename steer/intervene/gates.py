"""Resolving a gate: what it reads, and where. No torch."""

from dataclasses import dataclass

from steer.errors import FailedPrecondition, Violations
from steer.intervene.operands import Array, OperandResolver, pick, unit
from steer.intervene.order import precedes
from steer.intervene.plan import PlannedGate
from steer.intervene.shape import check_site
from steer.store import Dictionary, Probe, content_hash
from steer.types import Gate, ModelInfo, Operand, Site


@dataclass(frozen=True)
class GateResolver:
    """Resolves gates against a model; collects what is wrong in ``operands``."""

    model: ModelInfo
    operands: OperandResolver

    def resolve(self, gate: Gate, sites: tuple[Site, ...], path: str) -> PlannedGate | None:
        """The gate of an intervention at ``sites``, undecided; None when something was wrong."""
        found = self.operands.violations
        there = check_site(gate.site, self.model, f"{path}.site", found)
        earlier = [str(site) for site in sites if precedes(site, gate.site)]
        if there and earlier:
            message = (
                f"{gate.site} is read after {', '.join(earlier)}, where the intervention acts; "
                "give an earlier or equal site"
            )
            found.add(f"{path}.site", "GATE_TOO_LATE", message)
        if gate.cosine is not None:
            return self._cosine(gate, gate.cosine, there, f"{path}.cosine")
        if gate.probe:
            return self._probe(gate, there, f"{path}.probe")
        return self._feature(gate, there, f"{path}.feature")

    def _cosine(self, gate: Gate, operand: Operand, there: bool, path: str) -> PlannedGate | None:
        directions = self.operands.resolve(operand, path)
        if directions is None or not there:
            return None
        array = pick(directions, gate.site)
        if array is None:
            has = ", ".join(map(str, directions.own_sites))
            message = f"{directions.described} has no direction at {gate.site}; it has {has}"
            self.operands.violations.add(path, "SITE_MISSING", message)
            return None
        row = unit(array)
        key = content_hash({gate.site: row})
        return _planned(gate, "cosine", key, row)

    def _probe(self, gate: Gate, there: bool, path: str) -> PlannedGate | None:
        probe = self.operands.item(gate.probe, Probe, "probe", path)
        if probe is None or not there:
            return None
        tensors = probe.sites.get(gate.site)
        if tensors is None:
            _wrong_site(gate, gate.probe, probe.card.sites, path, self.operands.violations)
            return None
        key = f"{probe.content_hash}/{gate.site}"
        return _planned(gate, "probe", key, tensors.weight, (float(tensors.bias[0]),))

    def _feature(self, gate: Gate, there: bool, path: str) -> PlannedGate | None:
        found = self.operands.violations
        name, index = gate.dictionary, gate.feature or 0
        dictionary = self.operands.item(name, Dictionary, "dictionary", f"{path}.dictionary")
        if dictionary is None:
            return None
        if there and gate.site != dictionary.site:
            _wrong_site(gate, name, (dictionary.site,), f"{path}.dictionary", found)
        if not check_latents((index,), dictionary, (f"{path}.index",), found):
            return None
        rows = dictionary.features((index,))
        numbers = (rows.gate_bias, rows.magnitude_scale, rows.magnitude_bias, rows.threshold)
        params = tuple(float(number[0]) for number in numbers)
        key = f"{dictionary.content_hash}/{index}/encoder"
        return _planned(gate, "feature", key, rows.encoder[0], params, dictionary, index)


def check_latents(
    indices: tuple[int, ...], dictionary: Dictionary, paths: tuple[str, ...], found: Violations
) -> bool:
    """Whether a dictionary has these latents; ``paths`` are where each was given."""
    last = dictionary.spec.d_sae - 1
    bad = [(index, path) for index, path in zip(indices, paths, strict=True) if index > last]
    for index, path in bad:
        message = f"is {index}; {dictionary.name!r} has latents 0 to {last}"
        found.add(path, "FEATURE_OUT_OF_RANGE", message)
    return not bad


def _planned(
    gate: Gate,
    reading: str,
    key: str,
    row: Array,
    params: tuple[float, ...] = (),
    dictionary: Dictionary | None = None,
    latent: int = 0,
) -> PlannedGate:
    return PlannedGate(
        reading=reading,
        key=key,
        site=gate.site,
        row=row,
        params=params,
        threshold=gate.threshold,
        below=gate.below,
        absolute=gate.absolute,
        scope=gate.scope,
        dictionary=dictionary,
        latent=latent,
    )


def _wrong_site(gate: Gate, name: str, has: tuple[Site, ...], path: str, found: Violations) -> None:
    message = f"{name!r} reads at {', '.join(map(str, has))}, the gate at {gate.site}"
    found.add(path, "SITE_MISMATCH", message, FailedPrecondition)
