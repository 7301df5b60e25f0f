"""The text of one row as it grows: whole characters, stop texts held back and cut."""

from collections.abc import Sequence

from steer.models.text import TextStream


class RowText:
    """Feeds tokens to a decoder and watches for stop texts.

    ``given``: characters given so far. ``pieces``: the text that each token completed, whether
    given or not, and what came last; None unless ``keep``.
    """

    def __init__(self, stream: TextStream, stops: Sequence[str], keep: bool = False) -> None:
        self._stream, self._stops = stream, stops
        self._text = ""  # what has not been given yet
        self.stopped_by = ""
        self.given = 0
        self.pieces: list[str] | None = [] if keep else None

    def push(self, token: int) -> str:
        """New text that is certain not to belong to a stop text."""
        self._read(self._stream.push(token))
        return self._advance(final=False)

    def finish(self) -> str:
        """What was held back, once the row has ended."""
        self._read(self._stream.flush())
        return self._advance(final=True)

    def _read(self, piece: str) -> None:
        self._text += piece
        if self.pieces is not None:
            self.pieces.append(piece)

    def _advance(self, final: bool) -> str:
        if self.stopped_by:
            return ""
        found = [(at, stop) for stop in self._stops if (at := self._text.find(stop)) >= 0]
        if found:
            end, self.stopped_by = min(found)
        else:
            end = len(self._text) - (0 if final else self._held_back())
        given, self._text = self._text[:end], self._text[end:]
        self.given += len(given)
        return given

    def _held_back(self) -> int:
        """Length of the longest end of the text that could begin a stop text."""
        lengths = (
            length
            for stop in self._stops
            for length in range(min(len(stop) - 1, len(self._text)), 0, -1)
            if self._text.endswith(stop[:length])
        )
        return max(lengths, default=0)
