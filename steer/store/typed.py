"""Values of JSON that must be of one type."""

import json
import re
from typing import Any, TypeVar

_HALF = re.compile(r"\\u[dD][89a-fA-F]")

T = TypeVar("T", int, bool, str, list[Any], dict[str, Any])


def typed(value: Any, kind: type[T], field: str) -> T:
    """``value`` if it is of this very type. Raises ValueError naming the field."""
    # Not isinstance: to it, true is an integer.
    if type(value) is not kind:
        raise ValueError(f"{field}: is {value!r:.100}, want {kind.__name__}")
    return value


def optional(value: Any, kind: type[T], field: str) -> T | None:
    """As ``typed``, or None."""
    return None if value is None else typed(value, kind, field)


def check_characters(text: str, value: Any) -> None:
    """Raise ValueError where JSON, as ``text`` and as its value, holds half of a pair of escapes
    (``\\ud800``): Python makes a character of it that nothing can write."""
    if _HALF.search(text):
        json.dumps(value, ensure_ascii=False).encode()
