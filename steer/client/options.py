"""Options that every recipe has, and the fields of an intervention that they set."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from steer.client.checked import member
from steer.errors import InvalidRequest
from steer.types import Gate, Phase, Point, Site, Strength, Unit, Where


class Options(TypedDict, total=False):
    """What every recipe can be told. Whatever is left out is as the vector's card says.

    ``strength``: finite; multiplies the stored vector, or with ``relative`` is a fraction of the
    mean residual norm. ``layer`` / ``layers``: 0-based decoder blocks; ``point`` (default
    ``resid_post``) goes with them. ``when``: a phase, or a whole ``Where``. ``gate``: whether it
    acts at all. ``keep_norm``: rescale the result to ‖h‖. ``must_fire``: fail the call when no
    token was touched.
    """

    strength: float
    relative: bool
    layer: int
    layers: Iterable[int]
    point: str
    when: str | Where
    gate: Gate
    keep_norm: bool
    must_fire: bool


_FIELDS = ("gate", "keep_norm", "must_fire")


def settings(options: Options, needs_layer: bool = True) -> dict[str, Any]:
    """The fields of an intervention that these options set."""
    if unknown := options.keys() - Options.__annotations__.keys():
        raise TypeError(
            f"unknown option {min(unknown)!r}; have {', '.join(Options.__annotations__)}"
        )
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    fields: dict[str, Any] = {
        name: given[name] for name in ("gate", "keep_norm", "must_fire") if name in given
    }
    if "strength" in given:
        unit = Unit.RELATIVE if given.get("relative") else Unit.RAW
        fields["strength"] = Strength(given["strength"], unit)
    elif given.get("relative"):
        raise InvalidRequest("relative=True goes with a strength")
    if "when" in given:
        when = given["when"]
        fields["where"] = when if isinstance(when, Where) else Where(member(Phase, when))
    if sites := _sites(given, needs_layer):
        fields["sites"] = sites
    return fields


def _sites(given: Mapping[str, Any], needs_layer: bool) -> tuple[Site, ...]:
    layers = [*given.get("layers", ()), *([given["layer"]] if "layer" in given else [])]
    if needs_layer and "point" in given and not layers:
        raise InvalidRequest("point goes with layer or layers")
    point = member(Point, given.get("point", Point.RESID_POST))
    return tuple(Site(layer, point) for layer in layers)
