"""Places in the network."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby


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


def listed(sites: Iterable[Site]) -> str:
    """Sites in short, points in the order of their first: ``resid_mid.3, resid_post.0-2``."""
    by_point: dict[Point, list[int]] = {}
    for site in sites:
        by_point.setdefault(site.point, []).append(site.layer)
    return ", ".join(
        f"{point.value}.{first}" + (f"-{last}" if last > first else "")
        for point, layers in by_point.items()
        for first, last in _ranges(sorted(layers))
    )


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield run[0], run[-1]
