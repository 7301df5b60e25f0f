"""Sizes of pages, the same in every listing."""

from collections.abc import Sequence
from itertools import accumulate

from google.protobuf.message import Message

import steer.v1 as pb
from steer.errors import InvalidRequest, Violation
from steer.store.address import is_name

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
LARGEST_ANSWER = 16 << 20
"""Bytes."""

Paged = pb.ListVectorsRequest | pb.ListRecipesRequest | pb.ListRunsRequest


def page_size(request: Paged) -> int:
    """How many a page holds. Raises InvalidRequest when that is out of range."""
    size = request.page_size if request.HasField("page_size") else DEFAULT_PAGE
    if not 1 <= size <= LARGEST_PAGE:
        violation = Violation("page_size", "OUT_OF_RANGE", f"is {size}; give 1 to {LARGEST_PAGE}")
        raise InvalidRequest(str(violation), violations=[violation])
    return size


def name_before(request: pb.ListVectorsRequest | pb.ListRecipesRequest) -> str:
    """The name behind which a page begins, where the token is the last name that was given.

    Raises InvalidRequest for a token that is no name: no page gave it.
    """
    token: str = request.page_token
    if token and not is_name(token):
        message = f"is {token[:50]!r}, which is not one that this server gave"
        violation = Violation("page_token", "BAD_TOKEN", message)
        raise InvalidRequest(str(violation), reason="BAD_TOKEN", violations=[violation])
    return token


def fitting(messages: Sequence[Message]) -> int:
    """How many of these, from the first, go into one answer; at least one if there are any."""
    sizes = accumulate(message.ByteSize() for message in messages)
    fits = sum(size <= LARGEST_ANSWER for size in sizes)
    return max(fits, min(len(messages), 1))
