"""``Where`` as plain JSON values and back, for cards."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

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
        ranges=tuple(Range(**item) for item in raw.get("ranges", ())),
        token_ids=tuple(raw.get("token_ids", ())),
        exclude_token_ids=tuple(raw.get("exclude_token_ids", ())),
        include_special_tokens=bool(raw.get("include_special_tokens", False)),
        markers=tuple(Marker(**item) for item in raw.get("markers", ())),
        every=int(raw.get("every", 1)),
        decay=Decay(DecayShape(decay["shape"]), int(decay["tokens"])) if decay else None,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
