"""Values of JSON that must be of one type."""

from typing import Any, TypeVar

T = TypeVar("T", int, bool, str)


def typed(value: Any, kind: type[T], field: str) -> T:
    """``value`` if it is of this very type. Raises ValueError naming the field."""
    # Not isinstance: to it, true is an integer.
    if type(value) is not kind:
        raise ValueError(f"{field}: is {value!r}, want {kind.__name__}")
    return value


def optional(value: Any, kind: type[T], field: str) -> T | None:
    """As ``typed``, or None."""
    return None if value is None else typed(value, kind, field)
