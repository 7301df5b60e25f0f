"""The text of one row as it grows: whole characters, stop texts held back and cut."""

from collections.abc import Sequence

from steer.models.text import TextStream


class RowText:
    """Feeds tokens to a decoder and watches for stop texts."""

    def __init__(self, stream: TextStream, stops: Sequence[str]) -> None:
        self._stream, self._stops = stream, stops
        self._given = 0
        self.stopped_by = ""

    def push(self, token: int) -> str:
        """New text that is certain not to belong to a stop text."""
        self._stream.push(token)
        return self._advance(final=False) if self._stops else self._rest()

    def finish(self) -> str:
        """What was held back, once the row has ended."""
        self._stream.flush()
        return self._advance(final=True) if self._stops else self._rest()

    def _advance(self, final: bool) -> str:
        if self.stopped_by:
            return ""
        text = self._stream.text
        found = [(at, stop) for stop in self._stops if (at := text.find(stop, self._given)) >= 0]
        if found:
            end, self.stopped_by = min(found)
        else:
            end = len(text) if final else len(text) - self._held_back(text)
        return self._give(end)

    def _rest(self) -> str:
        return self._give(len(self._stream.text))

    def _give(self, end: int) -> str:
        start, self._given = self._given, end
        return self._stream.text[start:end]

    def _held_back(self, text: str) -> int:
        """Length of the longest end of ``text`` that could begin a stop text."""
        unseen = len(text) - self._given
        lengths = (
            length
            for stop in self._stops
            for length in range(min(len(stop) - 1, unseen), 0, -1)
            if text.endswith(stop[:length])
        )
        return max(lengths, default=0)
