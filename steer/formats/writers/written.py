"""What a writer gives: files in pieces, so that large ones need not be held."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from steer.errors import Violations
from steer.types import Point, Site


@dataclass(frozen=True)
class Output:
    """One file: its size in bytes, and its bytes in pieces, from the start each time."""

    size: int
    pieces: Callable[[], Iterator[bytes]]

    @classmethod
    def of(cls, data: bytes) -> "Output":
        """A file that is small."""
        return cls(len(data), lambda: iter((data,)))


@dataclass(frozen=True)
class Written:
    """Files by name, and in ``notes`` what of the item is not in them."""

    files: Mapping[str, Output]
    notes: tuple[str, ...] = ()


def check_points(sites: tuple[Site, ...], points: tuple[Point, ...], found: Violations) -> None:
    """Note every site at a point a format can not name."""
    for site in sites:
        if site.point not in points:
            message = f"can not be written; this format has {', '.join(points)}"
            found.add(f"sites[{site}]", "NO_SUCH_POINT", message)
