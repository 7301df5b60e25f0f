"""Sizes of pages, the same in every listing."""

import steer.v1 as pb
from steer.errors import InvalidRequest, Violation

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000

Paged = pb.ListVectorsRequest | pb.ListRecipesRequest | pb.ListRunsRequest


def page_size(request: Paged) -> int:
    """How many a page holds. Raises InvalidRequest when that is out of range."""
    size = request.page_size if request.HasField("page_size") else DEFAULT_PAGE
    if not 1 <= size <= LARGEST_PAGE:
        violation = Violation("page_size", "OUT_OF_RANGE", f"is {size}; give 1 to {LARGEST_PAGE}")
        raise InvalidRequest(str(violation), violations=[violation])
    return size
