"""What the one who imports a file may say about it."""

from dataclasses import dataclass

from steer.types import Point


@dataclass(frozen=True, slots=True)
class Options:
    """What files do not say. A format refuses what it has no use for; None and "" say nothing.

    ``format``: key of ``FORMATS``, where a source could be several. ``model``: id of its model.
    ``layer`` and ``point``: where it belongs, by our convention, for files that do not say so.
    ``index_offset``: layer = the file's index + offset, instead of what its format does.
    ``choice``: which of several things in it; ``outer:inner`` where one of them holds several.
    ``kind``: as what to read it, where a format can be read as several (``direction`` or
    ``probe``). ``strength``: the card's default, raw. ``scale``: the constant that activations were
    multiplied by before a dictionary saw them (of a release: ``norm_scaling_factor``). ``k``: how
    many latents of a top-k dictionary are active.
    """

    format: str = ""
    model: str = ""
    layer: int | None = None
    point: Point | None = None
    index_offset: int | None = None
    choice: str = ""
    kind: str = ""
    strength: float | None = None
    scale: float | None = None
    k: int | None = None
