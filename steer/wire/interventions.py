"""Interventions: op + sites + strength + where + gate."""

import steer.v1 as pb
from steer.types import Intervention, Strength, Where
from steer.wire.check import Check
from steer.wire.enums import UNIT
from steer.wire.gates import build_gate, parse_gate
from steer.wire.operands import build_site, parse_sites
from steer.wire.ops import build_op, parse_op
from steer.wire.where import build_where, parse_where


def build_intervention(intervention: Intervention) -> pb.Intervention:
    """An intervention. What is None stays absent, so that the vector's card can speak."""
    strength, where, gate = intervention.strength, intervention.where, intervention.gate
    return pb.Intervention(
        **build_op(intervention.op),
        sites=[build_site(site) for site in intervention.sites],
        strength=None if strength is None else build_strength(strength),
        where=None if where is None else build_where(where),
        gate=None if gate is None else build_gate(gate),
        keep_norm=intervention.keep_norm,
        must_fire=intervention.must_fire,
    )


def parse_intervention(message: pb.Intervention, check: Check) -> Intervention:
    """An intervention."""
    strength = gate = None
    if message.HasField("strength"):
        strength = _parse_strength(message.strength, check.at("strength"))
    if message.HasField("gate"):
        gate = parse_gate(message.gate, check.at("gate"))
    return Intervention(
        op=parse_op(message, check),
        sites=parse_sites(message.sites, check),
        strength=strength,
        where=_parse_where(message, check.at("where")),
        gate=gate,
        keep_norm=message.keep_norm,
        must_fire=message.must_fire,
    )


def _parse_where(message: pb.Intervention, check: Check) -> Where | None:
    # An empty `where` says nothing, so the card's holds, as its phase "unspecified" promises.
    if message.where == pb.Where():
        return None
    return parse_where(message.where, check)


def build_strength(strength: Strength) -> pb.Strength:
    """A strength."""
    return pb.Strength(value=strength.value, unit=UNIT.build(strength.unit))


def _parse_strength(message: pb.Strength, check: Check) -> Strength:
    value = message.value if message.HasField("value") else Strength().value
    unit = UNIT.parse(message.unit, check.at("unit"))
    return Strength(check.at("value").finite(value), unit)
