"""Whether an intervention acts: gates."""

import math
from dataclasses import replace

import steer.v1 as pb
from steer.types import Gate
from steer.wire.check import Check, one_of
from steer.wire.enums import GATE_SCOPE
from steer.wire.operands import build_operand, build_site, parse_operand, parse_site


def build_gate(gate: Gate) -> pb.Gate:
    """A gate."""
    reading = one_of(
        cosine=None if gate.cosine is None else build_operand(gate.cosine),
        probe=gate.probe,
        feature=_build_feature(gate),
    )
    return pb.Gate(
        **reading,
        site=build_site(gate.site),
        threshold=gate.threshold,
        below=gate.below,
        scope=GATE_SCOPE.build(gate.scope),
        absolute=gate.absolute,
    )


def _build_feature(gate: Gate) -> pb.FeatureGate | None:
    if not gate.dictionary and gate.feature is None:
        return None
    if gate.feature is None:
        raise ValueError(f"a gate on the dictionary {gate.dictionary!r} needs a feature")
    return pb.FeatureGate(dictionary=gate.dictionary, index=gate.feature)


def parse_gate(message: pb.Gate, check: Check) -> Gate:
    """A gate. Its site has no default."""
    if not message.HasField("site"):
        check.at("site").fail("REQUIRED", "is missing; give the site where the gate reads")
    gate = Gate(
        site=parse_site(message.site, check.at("site")),
        threshold=message.threshold,
        below=message.below,
        scope=GATE_SCOPE.parse(message.scope, check.at("scope")),
        absolute=message.absolute,
    )
    return _with_reading(gate, message, check)


def _with_reading(gate: Gate, message: pb.Gate, check: Check) -> Gate:
    threshold = check.at("threshold")
    match message.WhichOneof("reading"):
        case "cosine":
            threshold.within(gate.threshold, 0 if gate.absolute else -1, 1)
            return replace(gate, cosine=parse_operand(message.cosine, check.at("cosine")))
        case "probe":
            threshold.within(gate.threshold, 0, 1)
            return replace(gate, probe=check.at("probe").require(message.probe))
        case "feature":
            threshold.within(gate.threshold, 0 if gate.absolute else -math.inf, math.inf)
            name = check.at("feature.dictionary").require(message.feature.dictionary)
            return replace(gate, dictionary=name, feature=message.feature.index)
    check.fail("REQUIRED", "reads nothing; give one of cosine, probe, feature")
    return gate
