"""What a caller may call a site, and the site it is."""

from typing import Any

from steer.client.checked import member
from steer.errors import InvalidRequest
from steer.types import Point, Site

# A 0-based layer, (layer, point), or a ready site.
SiteLike = int | tuple[int, str] | Site


def as_site(value: SiteLike | Any, point: str = Point.RESID_POST) -> Site:
    """The site a caller means; ``point`` completes a bare layer. Raises InvalidRequest."""
    match value:
        case Site():
            return value
        case int(layer) if not isinstance(layer, bool):
            return _site(layer, point)
        case (int(layer), str(own)):
            return _site(layer, own)
    raise InvalidRequest(f"{value!r} is no site; give a layer, (layer, point) or a steer.Site")


def _site(layer: int, point: str) -> Site:
    if layer < 0:
        raise InvalidRequest(f"layer {layer}: layers are counted from the first, which is 0")
    return Site(layer, member(Point, point))
