"""Places in the network."""

from dataclasses import dataclass
from enum import StrEnum


class Point(StrEnum):
    """Where in a decoder block. ``resid_post`` of layer L is the output of block L."""

    RESID_PRE = "resid_pre"
    RESID_MID = "resid_mid"
    RESID_POST = "resid_post"
    ATTN_OUT = "attn_out"
    MLP_OUT = "mlp_out"


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A place in the network: 0-based decoder block and point. Written ``resid_post.12``."""

    layer: int
    point: Point = Point.RESID_POST

    def __str__(self) -> str:
        return f"{self.point.value}.{self.layer}"

    @classmethod
    def parse(cls, text: str) -> "Site":
        """Read ``<point>.<layer>``. Raises ValueError on anything else."""
        point, _, layer = text.partition(".")
        if not layer.isdecimal():
            raise ValueError(f"not a site: {text!r} (want <point>.<layer>)")
        return cls(int(layer), Point(point))
