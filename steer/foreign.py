"""Files of other programs, in words: what one may say about them, and what was understood."""

from collections.abc import Sequence
from dataclasses import dataclass

from steer.types import Point, Site


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


@dataclass(frozen=True, slots=True)
class Account:
    """Says everything that is not plain from the item, so that a wrong guess is seen.

    ``format``: what the file is; ``writer``: by whom. ``convention``: whose layer index it has and
    how it became ours. ``norms``: sizes at the sites, as the item's kind has them. ``scale``: what
    they mean. ``dropped``: what was in the file and is not in the item. ``folded``: what was
    multiplied in.
    """

    format: str
    writer: str
    kind: str
    model: str
    d_model: int
    sites: tuple[Site, ...]
    norms: tuple[float, ...]
    convention: str
    scale: str = ""
    detail: str = ""
    dropped: Sequence[str] = ()
    folded: Sequence[str] = ()
    warnings: Sequence[str] = ()

    def lines(self) -> list[str]:
        """The account as plain text."""
        said = [
            ("format", f"{self.format} ({self.writer})"),
            ("holds", f"{self.kind}, width {self.d_model}{self.detail}"),
            ("model", self.model or "not said"),
            ("sites", _sites(self.sites)),
            ("layers", self.convention),
            ("norms", _norms(self.norms)),
            ("scale", self.scale),
            *(("dropped", text) for text in self.dropped),
            *(("folded", text) for text in self.folded),
            *(("warning", text) for text in self.warnings),
        ]
        return [f"{what}: {text}" for what, text in said if text]


def _sites(sites: Sequence[Site]) -> str:
    shown = [str(site) for site in sites]
    if len(shown) > 8:
        return f"{len(shown)}: {', '.join(shown[:3])}, … {shown[-1]}"
    return ", ".join(shown)


def _norms(norms: Sequence[float]) -> str:
    low, high = min(norms), max(norms)
    return f"{low:.4g}" if high - low <= 1e-4 * high else f"{low:.4g} to {high:.4g}"
