"""Markers by looking at the whole text again and again, and token texts to try them on."""

import re
from collections.abc import Callable, Sequence
from itertools import accumulate

from hypothesis import strategies as st

from steer.types import Marker

TEXTS = ("", "a", "b", "ab", "ba", "aab", "\n", "\n\n", "a\n", "é", "é b", " ")
"""What each token of the table says; the first is one that says nothing."""

PYTHON = {
    same: same
    for same in ("a+", r"\ba\b", r"a\b", r"a\B", "^a", "(?m)^a", "a.b", "a[^b]*b", "(?:ab|a)b", "é")
} | {"\n\n+": "\n\n+", "(?i)A ?": "(?i)A ?", r"b\z": r"b\Z"}
"""Expressions of RE2, and what Python calls them; others mean the same to both."""

short = st.text(alphabet="ab\né", min_size=1, max_size=3)
untils = st.just("") | short
lengths = st.none() | st.integers(1, 4)
markers = st.builds(Marker, text=short, until=untils, tokens=lengths) | st.builds(
    Marker, regex=st.sampled_from(sorted(PYTHON)), until=untils, tokens=lengths
)
rows = st.lists(st.integers(0, len(TEXTS) - 1), max_size=30)


class Table:
    """A decoder that knows what each token says."""

    def __init__(self, texts: Sequence[str] = TEXTS) -> None:
        self._texts = texts

    def push(self, token: int) -> str:
        return self._texts[token]

    def fork(self) -> "Table":
        return self


Find = Callable[[str, int], int]
"""Where the first match at or after a place ends; -1 for none."""


def literal(needle: str) -> Find:
    def find(text: str, since: int) -> int:
        at = text.find(needle, since)
        return at + len(needle) if at >= 0 else -1

    return find


def expression(regex: str) -> Find:
    program = re.compile(PYTHON.get(regex, regex), re.ASCII)

    def find(text: str, since: int) -> int:
        match = program.search(text, since)
        return match.end() if match else -1

    return find


def open_at(marker: Marker, pieces: Sequence[str]) -> list[bool]:
    """Whether a marker is open at each token: one stretch after the other, from the whole text."""
    texts, count = list(accumulate(pieces)), len(pieces)
    opens = expression(marker.regex) if marker.regex else literal(marker.text)
    closes = literal(marker.until) if marker.until else lambda text, since: -1
    window = count if marker.tokens is None else marker.tokens

    def first(find: Find, since: int, token: int) -> tuple[int, int]:
        """The first token from ``token`` on by which there is a match, and where that ends."""
        ends = ((at, find(texts[at], since)) for at in range(token, count))
        return next(((at, end) for at, end in ends if end >= 0), (count, -1))

    found = [False] * count
    at, since = first(opens, 0, 0)
    while at < count:
        closing, closed = first(closes, since, at)
        last, start = at + window, at + 1
        again, end = first(opens, since, at)
        while again <= last and again < closing:
            last, since = again + window, end
            again, end = first(opens, since, again)
        for token in range(start, min(last + 1, closing, count)):
            found[token] = True
        if closing <= last:
            at, since = first(opens, closed, closing)
        else:
            at, since = again, end
    return found
