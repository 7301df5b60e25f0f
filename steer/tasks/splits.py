"""Which split a problem belongs to: decided by its content, so that splits can not overlap."""

import hashlib
from collections.abc import Mapping


def bucket(content: str) -> int:
    """0 to 99, from a hash of the content: the same for whoever drew it, whenever."""
    digest = hashlib.blake2b(content.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % 100


def split_of(content: str, splits: Mapping[str, range]) -> str:
    """The one of ``splits`` (buckets by name, together all 100) that the content belongs to."""
    place = bucket(content)
    return next(name for name, buckets in splits.items() if place in buckets)
