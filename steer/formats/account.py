"""What was understood of a file, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from steer.types import Site


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
