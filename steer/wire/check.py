"""Where we are in a request, and what is wrong with it so far."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from steer.errors import Violations
from steer.types.operand import LARGEST

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    """A field path that shares one list of violations with every path made from it."""

    path: str
    found: Violations

    @classmethod
    def begin(cls, path: str = "") -> "Check":
        """A path with an empty list. Answers are read with one too, and nobody looks at it: what
        a server says about itself is reported, not judged."""
        return cls(path, Violations())

    def at(self, field: str, index: int | None = None) -> "Check":
        """The path of a field of this message, or of one item of a repeated one."""
        whole = Check(f"{self.path}.{field}" if self.path else field, self.found)
        return whole if index is None else whole.item(index)

    def item(self, index: int) -> "Check":
        """The path of one item of the repeated field at this path."""
        return Check(f"{self.path}[{index}]", self.found)

    def fail(self, reason: str, message: str) -> None:
        """Record that what stands at this path is wrong."""
        self.found.add(self.path or "request", reason, message)

    def require(self, value: str) -> str:
        """``value``, which must not be empty."""
        if not value:
            self.fail("REQUIRED", "is empty; give a non-empty text")
        return value

    def finite(self, value: float) -> float:
        """``value``, which must be a number, neither NaN nor infinite, that float32 holds."""
        if not math.isfinite(value):
            self.fail("NOT_FINITE", f"is {value}; give a finite number")
        elif abs(value) > LARGEST:
            limits = f"-{LARGEST:.7g} to {LARGEST:.7g}"
            self.fail("OUT_OF_RANGE", f"is {value:g}; give what float32 holds, {limits}")
        return value

    def within(self, value: float, low: float, high: float, *, above: bool = False) -> float:
        """``value``, which must lie from ``low`` (or, with ``above``, over it) to ``high``."""
        inside = (low < value if above else low <= value) and value <= high
        if not inside or not math.isfinite(value):
            self.fail("OUT_OF_RANGE", f"is {value:g}; give {_interval(low, high, above)}")
        return value

    def positive(self, value: int) -> int:
        """``value``, which must be at least 1."""
        if value < 1:
            self.fail("OUT_OF_RANGE", f"is {value}; give 1 or more")
        return value

    def distinct(self, values: Iterable[T], message: str) -> tuple[T, ...]:
        """``values``, in which none may come twice; ``message`` says what would be valid."""
        given = tuple(values)
        if len(set(given)) < len(given):
            self.fail("DUPLICATE", message)
        return given


def one_of(**given: Any) -> dict[str, Any]:
    """The one field of a ``oneof`` that is set; none is for the reader to complain about.

    Raises ValueError for several: the wire would silently keep one of them.
    """
    said = {name: value for name, value in given.items() if value not in (None, "")}
    if len(said) > 1:
        raise ValueError(f"give only one of {', '.join(said)}")
    return said


def _interval(low: float, high: float, above: bool) -> str:
    if math.isinf(high):
        return f"a finite number {'above' if above else 'of at least'} {low:g}"
    return f"a number {'above' if above else 'from'} {low:g} {'up ' * above}to {high:g}"
