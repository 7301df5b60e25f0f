"""In which order a forward pass comes by the sites. No torch."""

from steer.types import Point, Site

PASSED = (Point.RESID_PRE, Point.ATTN_OUT, Point.RESID_MID, Point.MLP_OUT, Point.RESID_POST)
"""The points of a block as a forward pass comes by them, in parallel blocks too."""


def order(site: Site) -> tuple[int, int]:
    """Sort key: sites in the order in which a forward pass comes by them."""
    return site.layer, PASSED.index(site.point)


def precedes(first: Site, second: Site) -> bool:
    """Whether a forward pass comes by ``first`` strictly before ``second``.

    A gate can be read at its intervention's site or at any that this site does not precede.
    """
    return order(first) < order(second)
