"""Activations that Capture kept, for the op ``replace``. No torch."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from steer.errors import TooLarge
from steer.intervene.operands import Array
from steer.types import Site


@dataclass(frozen=True)
class Captured:
    """Activations of one row: at each site the positions, and (positions, d_model) values.

    ``prompt_length``: P of the row, from which negative positions count.
    """

    prompt_length: int
    activations: Mapping[Site, tuple[tuple[int, ...], Array]]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(values.nbytes for _, values in self.activations.values())


class Captures:
    """Kept captures by id, at most ``limit`` bytes: the least recently used go first.

    Safe to use from several threads.
    """

    def __init__(self, limit: int = 1 << 30) -> None:
        self._limit, self._size = limit, 0
        self._held: OrderedDict[str, Captured] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, size: int) -> None:
        """Raise TooLarge when so many bytes can never be kept together."""
        if size > self._limit:
            message = f"a capture of {size} bytes; this server keeps {self._limit}"
            raise TooLarge(message, reason="CAPTURE_TOO_LARGE")

    def keep(self, captured: Captured) -> str:
        """Keep it; the id. Raises TooLarge when it alone is beyond the limit."""
        self.check(captured.size)
        name = f"cap-{secrets.token_hex(8)}"
        with self._lock:
            self._held[name] = captured
            self._size += captured.size
            while self._size > self._limit:
                _, dropped = self._held.popitem(last=False)
                self._size -= dropped.size
        return name

    def get(self, name: str) -> Captured | None:
        """What was kept under an id; None when it is unknown or had to go."""
        with self._lock:
            if name in self._held:
                self._held.move_to_end(name)
            return self._held.get(name)
