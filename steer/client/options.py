"""Options that every recipe has, and the fields of an intervention that they set."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from steer.client.checked import member
from steer.client.sites import as_site
from steer.client.where import WhereLike, where
from steer.errors import InvalidRequest
from steer.types import Gate, Point, Site, Strength, Unit


class Options(TypedDict, total=False):
    """What every recipe can be told. Whatever is left out is as the vector's card says.

    ``strength``: finite; multiplies the stored vector, or with ``relative`` is a fraction of the
    mean residual norm. ``layer`` / ``layers``: 0-based decoder blocks; ``point`` (default
    ``resid_post``) goes with them. ``where``: a phase, or a whole ``Where`` as ``steer.where``
    makes it. ``when``: a gate, which says whether it acts at all. ``keep_norm``: rescale the
    result to ‖h‖. ``must_fire``: fail the call when no token was touched.
    """

    strength: float
    relative: bool
    layer: int
    layers: Iterable[int]
    point: str
    where: WhereLike
    when: Gate
    keep_norm: bool
    must_fire: bool


# Options and the fields of an intervention that they are.
_FIELDS = {"when": "gate", "keep_norm": "keep_norm", "must_fire": "must_fire"}


def check_names(options: Mapping[str, object], have: type) -> None:
    """Raise TypeError for an option that the TypedDict ``have`` has no key for."""
    if unknown := options.keys() - have.__annotations__.keys():
        raise TypeError(f"unknown option {min(unknown)!r}; have {', '.join(have.__annotations__)}")


def settings(options: Options, needs_layer: bool = True) -> dict[str, Any]:
    """The fields of an intervention that these options set."""
    check_names(options, Options)
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    fields: dict[str, Any] = {
        field: given[name] for name, field in _FIELDS.items() if name in given
    }
    if "strength" in given:
        unit = Unit.RELATIVE if given.get("relative") else Unit.RAW
        fields["strength"] = Strength(given["strength"], unit)
    elif given.get("relative"):
        raise InvalidRequest("relative=True goes with a strength")
    if "where" in given:
        fields["where"] = where(given["where"])
    if sites := _sites(given, needs_layer):
        fields["sites"] = sites
    return fields


def _sites(given: Mapping[str, Any], needs_layer: bool) -> tuple[Site, ...]:
    layers = [*given.get("layers", ()), *([given["layer"]] if "layer" in given else [])]
    if needs_layer and "point" in given and not layers:
        raise InvalidRequest("point goes with layer or layers")
    point = member(Point, given.get("point", Point.RESID_POST))
    return tuple(as_site(layer, point) for layer in layers)
