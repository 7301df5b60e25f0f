"""At which tokens: where."""

import steer.v1 as pb
from steer.types import Decay, Marker, Range, Where
from steer.wire.check import Check, one_of
from steer.wire.enums import DECAY_SHAPE, PHASE


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
    opens = one_of(text=marker.text, regex=marker.regex)
    return pb.Marker(**opens, until=marker.until, tokens=marker.tokens)


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
