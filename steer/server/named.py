"""Calls of the store about one named thing."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from steer.errors import FailedPrecondition, InvalidRequest, NotFound, Violation
from steer.server.threads import settled

P = ParamSpec("P")
T = TypeVar("T")


async def named(field: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The call's result, from a thread: files may take a while. What is wrong with the thing is a
    violation at ``field``, which names it in the request, unless the call says better."""
    try:
        return await settled(call, *args, **kwargs)
    except (InvalidRequest, NotFound, FailedPrecondition) as error:
        error.violations = error.violations or (Violation(field, error.reason, error.message),)
        raise
