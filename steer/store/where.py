"""``Where`` as plain JSON values and back, for cards."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from steer.types import Decay, DecayShape, Marker, Phase, Range, Where


def where_to_dict(where: Where) -> dict[str, Any]:
    """The phase, and every condition that is not the default."""
    default = asdict(Where())
    changed = {key: value for key, value in asdict(where).items() if value != default[key]}
    return {"phase": where.phase.value} | changed


def where_from_dict(raw: Mapping[str, Any]) -> Where:
    """Read what ``where_to_dict`` wrote. Raises ValueError or TypeError naming the condition."""
    unknown = set(raw) - set(asdict(Where()))
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
