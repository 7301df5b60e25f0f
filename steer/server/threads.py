"""Work of threads, for handlers that may be cancelled at any time."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def settled(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The call's result, from a thread. When cancelled, still only after the call has ended, so
    that nothing it works with is closed under it."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    finally:
        await asyncio.wait([running])
