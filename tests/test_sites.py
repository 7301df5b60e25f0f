"""Sites as text."""

import pytest

from steer.types import Point, Site, listed


@pytest.mark.parametrize(
    ("sites", "text"),
    [
        ([], ""),
        ([Site(3)], "resid_post.3"),
        ([Site(2), Site(0), Site(1), Site(9)], "resid_post.0-2, resid_post.9"),
        (
            [Site(1, Point.ATTN_OUT), Site(1), Site(2, Point.ATTN_OUT), Site(3)],
            "attn_out.1-2, resid_post.1, resid_post.3",
        ),
    ],
)
def test_consecutive_layers_are_written_as_a_range(sites, text):
    assert listed(sites) == text
