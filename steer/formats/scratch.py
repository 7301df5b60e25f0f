"""A temporary file without a name: nothing is left of it, whatever happens."""

import tempfile
import weakref
from io import BufferedRandom


class Scratch:
    """``file`` is open as long as this is alive."""

    def __init__(self) -> None:
        self.file: BufferedRandom = tempfile.TemporaryFile()
        weakref.finalize(self, self.file.close)

    def read(self, start: int, length: int) -> bytes:
        """At most ``length`` bytes from ``start``."""
        self.file.seek(start)
        return self.file.read(length)
