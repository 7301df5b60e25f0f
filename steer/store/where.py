"""``Where`` as plain JSON values and back, for cards."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from steer.store.typed import optional, typed
from steer.types import Decay, DecayShape, Marker, Phase, Range, Where

_DEFAULTS = {field.name: getattr(Where(), field.name) for field in fields(Where)}


def where_to_dict(where: Where) -> dict[str, Any]:
    """The phase, and every condition that is not the default."""
    names = (name for name, default in _DEFAULTS.items() if getattr(where, name) != default)
    return {"phase": where.phase.value} | {name: _plain(getattr(where, name)) for name in names}


def where_from_dict(raw: Mapping[str, Any]) -> Where:
    """Read what ``where_to_dict`` wrote. Raises ValueError or TypeError naming the condition."""
    unknown = raw.keys() - _DEFAULTS.keys()
    if unknown:
        raise ValueError(f"where: {', '.join(sorted(unknown))}: unknown")
    decay = raw.get("decay")
    return Where(
        phase=Phase(raw.get("phase", Phase.ALL)),
        ranges=tuple(map(_range, raw.get("ranges", ()))),
        token_ids=_ids(raw, "token_ids"),
        exclude_token_ids=_ids(raw, "exclude_token_ids"),
        include_special_tokens=typed(
            raw.get("include_special_tokens", False), bool, "where.include_special_tokens"
        ),
        markers=tuple(map(_marker, raw.get("markers", ()))),
        every=typed(raw.get("every", 1), int, "where.every"),
        decay=None if decay is None else _decay(decay),
    )


def _range(raw: Mapping[str, Any]) -> Range:
    bounds = (optional(raw.get(end), int, f"where.ranges.{end}") for end in ("start", "stop"))
    return Range(*bounds)


def _ids(raw: Mapping[str, Any], field: str) -> tuple[int, ...]:
    return tuple(typed(token, int, f"where.{field}") for token in raw.get(field, ()))


def _marker(raw: Mapping[str, Any]) -> Marker:
    text, regex, until = (
        typed(raw.get(key, ""), str, f"where.markers.{key}") for key in ("text", "regex", "until")
    )
    return Marker(text, regex, until, optional(raw.get("tokens"), int, "where.markers.tokens"))


def _decay(raw: Mapping[str, Any]) -> Decay:
    return Decay(DecayShape(raw["shape"]), typed(raw["tokens"], int, "where.decay.tokens"))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
