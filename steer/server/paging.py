"""Sizes of pages, the same in every listing."""

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

from google.protobuf.message import Message

import steer.v1 as pb
from steer.errors import InvalidRequest, Violation
from steer.store.address import is_name

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
LARGEST_ANSWER = 16 << 20
"""Bytes."""

M = TypeVar("M", bound=Message)

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


def page_of(messages: Sequence[M], names: Sequence[str]) -> tuple[Sequence[M], str]:
    """Those that go into one answer, from the first and at least one if there are any; and the
    token of the next page, empty without one. ``names``: of the messages, and of what follows."""
    sizes = accumulate(message.ByteSize() for message in messages)
    fits = sum(size <= LARGEST_ANSWER for size in sizes)
    count = max(fits, min(len(messages), 1))
    return messages[:count], names[count - 1] if count < len(names) else ""
