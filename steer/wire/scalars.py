"""Numbers with presence: what is asked of a given one, by the name of its field."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf.message import Message

from steer.specs import UpTo
from steer.wire.check import Check

EXACT = 2**53 - 1
"""The largest whole number that every JSON reader keeps."""

Accept = Callable[[Check, Any], Any]
Scalars = Mapping[str, Accept]


def between(low: float, high: float, *, above: bool = False) -> Accept:
    """A number from ``low`` (or, with ``above``, over it) to ``high``."""
    return lambda check, x: check.within(x, low, high, above=above)


def anything(check: Check, x: Any) -> Any:
    """Whatever its type allows."""
    return x


def read_scalars(message: Message, table: Scalars, check: Check) -> dict[str, Any]:
    """The given ones by name; what is absent is the default's."""
    return {
        name: accept(check.at(name), getattr(message, name))
        for name, accept in table.items()
        if message.HasField(name)
    }


def read_factors(values: Iterable[float], check: Check) -> tuple[float, ...]:
    """Finite numbers, none twice."""
    factors = check.distinct(values, "holds a number twice; give one")
    for index, factor in enumerate(factors):
        check.item(index).finite(factor)
    return factors


def build_scalars(spec: object, names: Iterable[str]) -> dict[str, Any]:
    """The fields of those names; None is left out, and a default that depends on the task."""
    given = {name: getattr(spec, name) for name in names}
    return {name: value for name, value in given.items() if not isinstance(value, UpTo | None)}
