"""Where in a row its text says something: the tokens at which an event begins, the sentences."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from steer.intervene.markers import Stream

_END = re.compile(r"[.!?…]+[\"')\]”’]*(?=\s)(?:[^\S\n]*\n+)?|\n+")
"""What ends a sentence, line breaks included."""


class Segments:
    """The text of a row, and which token brings which part of it.

    ``stream``: an incremental decoder from position 0 of the row that shows special tokens.
    """

    def __init__(self, ids: Sequence[int], stream: Stream) -> None:
        pieces = [stream.push(token) for token in ids]
        self._text = "".join(pieces)
        self._ends = list(accumulate(map(len, pieces)))

    def events(self, event: str) -> list[int]:
        """Positions of the tokens in which a text begins, ascending, each once."""
        found, at = [], self._text.find(event)
        while at >= 0:
            found.append(bisect_right(self._ends, at))
            at = self._text.find(event, at + 1)
        return sorted({*found})

    def sentences(self, positions: Sequence[int]) -> list[tuple[int, ...]]:
        """Positions, ascending, by the sentence of the text that they are in."""
        ends = [match.end() for match in _END.finditer(self._text)]
        groups: dict[int, list[int]] = {}
        for position in positions:
            begins = self._ends[position - 1] if position else 0
            groups.setdefault(bisect_right(ends, begins), []).append(position)
        return [tuple(group) for group in groups.values()]
