"""Reading values of foreign JSON without trusting their types."""

from collections.abc import Mapping
from typing import Any, TypeVar

from steer.errors import Violations

T = TypeVar("T", int, float, str, bool, list[Any], dict[str, Any])


class Fields:
    """An object of a JSON file; what is missing or of another type is noted by path.

    In place of what is noted comes an empty value, so that everything wrong is found at once.
    """

    def __init__(self, raw: Mapping[str, Any], at: str, found: Violations) -> None:
        self.raw, self.at, self._found = raw, at, found

    def __contains__(self, key: str) -> bool:
        return self.raw.get(key) is not None

    def get(self, key: str, default: T) -> T:
        """A value of the type of ``default``, which stands for a missing one."""
        return self._typed(key, default) if key in self else default

    def need(self, key: str, kind: type[T]) -> T:
        """A value that has to be there."""
        if key in self:
            return self._typed(key, kind())
        self._found.add(f"{self.at}.{key}", "MISSING", "is missing")
        return kind()

    def size(self, key: str) -> int:
        """A whole number above 0 that has to be there."""
        value = self.need(key, int)
        if key in self and value < 1:
            self._found.add(f"{self.at}.{key}", "OUT_OF_RANGE", f"is {value!r}, want at least 1")
        return value

    def inner(self, key: str) -> "Fields":
        """An object inside; empty when it is missing."""
        return Fields(self.get(key, {}), f"{self.at}.{key}", self._found)

    def text(self, *keys: str) -> str:
        """The first of these that is a text, cut to a length a card can show; empty without."""
        found = (self.raw.get(key) for key in keys)
        return next((value[:500] for value in found if isinstance(value, str)), "")

    def refuse(self, key: str, message: str) -> None:
        """Note that a value can not be read."""
        self._found.add(f"{self.at}.{key}", "NOT_SUPPORTED", message)

    def _typed(self, key: str, like: T) -> T:
        value = self.raw[key]
        if type(like) is float and type(value) is int and abs(value) < 1 << 53:
            value = float(value)
        # Not isinstance: to it, true is an integer.
        if type(value) is not type(like):
            message = f"is {str(value)[:60]!r}, want {type(like).__name__}"
            self._found.add(f"{self.at}.{key}", "WRONG_TYPE", message)
            return type(like)()
        return value
