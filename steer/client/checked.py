"""Values that cannot be put on the wire are the caller's mistake, and are told so."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

from steer.errors import InvalidRequest

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def build(maker: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """``maker(*args, **kwargs)``; a wrong type or an impossible value raises InvalidRequest."""
    try:
        return maker(*args, **kwargs)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidRequest(f"can not be sent: {error}") from error


def check(value: T, make: Callable[[T], Any], parse: Callable[[Any], T]) -> T:
    """``value``, judged as a server would, without one. Raises InvalidRequest."""
    parse(build(make, value))
    return value


def member(enum: type[E], value: str) -> E:
    """The member with this value. Raises InvalidRequest that lists the valid ones."""
    try:
        return enum(value)
    except ValueError:
        valid = ", ".join(enum)
        raise InvalidRequest(
            f"{value!r} is no {enum.__name__.lower()}; give one of {valid}"
        ) from None
