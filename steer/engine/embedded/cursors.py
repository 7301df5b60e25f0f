"""Cursors for rows that begin alike: their beginning is read once for each `where`."""

from collections.abc import Sequence

from steer.intervene.where import Cursor
from steer.models.text import Text, TextStream
from steer.types import Where


class Cursors:
    """Makes cursors that stand after ``tokens`` of a prompt of ``prompt_length`` tokens."""

    def __init__(self, text: Text, prompt_length: int, tokens: Sequence[int] = ()) -> None:
        self._text, self._prompt_length, self._tokens = text, prompt_length, tokens
        self._ready: dict[Where, Cursor] = {}

    def make(self, where: Where) -> Cursor:
        """A cursor of its own for one row."""
        if where not in self._ready:
            cursor = Cursor(where, self._prompt_length, self._text.special, self._stream)
            cursor.take(0, self._tokens)
            self._ready[where] = cursor
        return self._ready[where].fork()

    def _stream(self) -> TextStream:
        return self._text.stream((), special=True)
