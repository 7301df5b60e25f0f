"""At which tokens, and whether: where and gate."""

from dataclasses import replace

import steer.v1 as pb
from steer.types import Decay, Gate, Marker, Range, Where
from steer.wire.check import Check
from steer.wire.enums import DECAY_SHAPE, GATE_SCOPE, PHASE
from steer.wire.operands import build_operand, build_site, parse_operand, parse_site


def build_where(where: Where) -> pb.Where:
    """Where; every default is written out."""
    return pb.Where(
        phase=PHASE.build(where.phase),
        ranges=[pb.PositionRange(start=one.start, stop=one.stop) for one in where.ranges],
        token_ids=where.token_ids,
        exclude_token_ids=where.exclude_token_ids,
        include_special_tokens=where.include_special_tokens,
        markers=[_build_marker(marker) for marker in where.markers],
        every=where.every,
        decay=_build_decay(where.decay),
    )


def parse_where(message: pb.Where, check: Check) -> Where:
    """Where. An absent phase among other conditions is ``all``."""
    decay = _parse_decay(message.decay, check.at("decay")) if message.HasField("decay") else None
    return Where(
        phase=PHASE.parse(message.phase, check.at("phase")),
        ranges=tuple(
            _parse_range(one, check.at("ranges", i)) for i, one in enumerate(message.ranges)
        ),
        token_ids=tuple(message.token_ids),
        exclude_token_ids=tuple(message.exclude_token_ids),
        include_special_tokens=message.include_special_tokens,
        markers=tuple(
            _parse_marker(one, check.at("markers", i)) for i, one in enumerate(message.markers)
        ),
        every=check.at("every").positive(message.every) if message.HasField("every") else 1,
        decay=decay,
    )


def _parse_range(message: pb.PositionRange, check: Check) -> Range:
    start = message.start if message.HasField("start") else None
    stop = message.stop if message.HasField("stop") else None
    # Bounds of different signs can only be compared once the prompt's length is known.
    if start is not None and stop is not None and (start < 0) == (stop < 0) and start >= stop:
        check.fail("CONTRADICTORY", f"is empty; give a start below stop, not {start} and {stop}")
    return Range(start, stop)


def _build_marker(marker: Marker) -> pb.Marker:
    message = pb.Marker(until=marker.until, tokens=marker.tokens)
    if marker.regex:
        message.regex = marker.regex
    else:
        message.text = marker.text
    return message


def _parse_marker(message: pb.Marker, check: Check) -> Marker:
    if not (message.text or message.regex):
        check.fail("REQUIRED", "has nothing that opens it; give a non-empty text or regex")
    tokens = None
    if message.HasField("tokens"):
        tokens = check.at("tokens").positive(message.tokens)
    return Marker(message.text, message.regex, message.until, tokens)


def _build_decay(decay: Decay | None) -> pb.Decay | None:
    if decay is None:
        return None
    return pb.Decay(shape=DECAY_SHAPE.build(decay.shape), tokens=decay.tokens)


def _parse_decay(message: pb.Decay, check: Check) -> Decay:
    shape = DECAY_SHAPE.parse(message.shape, check.at("shape"))
    return Decay(shape, check.at("tokens").positive(message.tokens))


def build_gate(gate: Gate) -> pb.Gate:
    """A gate."""
    message = pb.Gate(
        site=build_site(gate.site),
        threshold=gate.threshold,
        below=gate.below,
        scope=GATE_SCOPE.build(gate.scope),
    )
    if gate.cosine is not None:
        message.cosine.CopyFrom(build_operand(gate.cosine))
    elif gate.probe:
        message.probe = gate.probe
    elif gate.dictionary:
        message.feature.CopyFrom(pb.FeatureGate(dictionary=gate.dictionary, index=gate.feature))
    return message


def parse_gate(message: pb.Gate, check: Check) -> Gate:
    """A gate. Its site has no default."""
    if not message.HasField("site"):
        check.at("site").fail("REQUIRED", "is missing; give the site where the gate reads")
    gate = Gate(
        site=parse_site(message.site, check.at("site")),
        threshold=message.threshold,
        below=message.below,
        scope=GATE_SCOPE.parse(message.scope, check.at("scope")),
    )
    return _with_reading(gate, message, check)


def _with_reading(gate: Gate, message: pb.Gate, check: Check) -> Gate:
    threshold = check.at("threshold")
    match message.WhichOneof("reading"):
        case "cosine":
            threshold.within(gate.threshold, -1, 1)
            return replace(gate, cosine=parse_operand(message.cosine, check.at("cosine")))
        case "probe":
            threshold.within(gate.threshold, 0, 1)
            return replace(gate, probe=check.at("probe").require(message.probe))
        case "feature":
            threshold.finite(gate.threshold)
            name = check.at("feature.dictionary").require(message.feature.dictionary)
            return replace(gate, dictionary=name, feature=message.feature.index)
    check.fail("REQUIRED", "reads nothing; give one of cosine, probe, feature")
    return gate
