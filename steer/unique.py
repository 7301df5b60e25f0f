"""Objects of JSON whose keys are each there once: of two, nobody knows which is meant."""

from collections import Counter
from collections.abc import Sequence
from typing import Any


class RepeatedKeys(ValueError):
    """``keys``: those that are in an object more than once."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(f"the key {keys[0]!r} is there twice")
        self.keys = tuple(keys)


def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs: an ``object_pairs_hook`` of ``json.loads``. Raises
    RepeatedKeys."""
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        raise RepeatedKeys([key for key in found if times[key] > 1])
    return found
