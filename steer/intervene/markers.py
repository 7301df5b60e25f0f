"""Stretches of a row that its decoded text opens and closes. No torch.

What opens and closes them is said at ``steer.types.Marker``. Text is kept as UTF-8, which literals
and RE2 search without decoding it, and every search begins a bounded way back, so that a token
costs the same wherever it stands in a row.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Protocol

import re2

from steer.errors import Violations
from steer.types import Marker

LOOKBACK = 1024
"""Bytes: how far before the token that completes it a match may begin, and the longest literal."""

LARGEST_PROGRAM = 2000
"""Instructions of a compiled regular expression. Where RE2 has to simulate all its states at once,
a token costs up to ``LOOKBACK`` times this many steps."""

MOST_MARKERS = 16
"""Of one ``Where``; each is looked for at every token."""

FOREVER = 1 << 62


class Stream(Protocol):
    """An incremental decoder (``steer.models.text.TextStream``) from position 0 of a row."""

    def push(self, token: int) -> str:
        """The text that ``token`` completes; may be empty."""
        ...

    def fork(self) -> "Stream":
        """One that goes on from here by itself."""
        ...


class Opening(Protocol):
    """What a marker is opened or closed by."""

    def end(self, text: bytearray, since: int, seen: int) -> int:
        """Where the first match at or after ``since`` ends in ``text``; -1 for none.

        Up to ``seen`` the text has been searched before. In bytes.
        """
        ...


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, UTF-8."""

    text: bytes

    def end(self, text: bytearray, since: int, seen: int) -> int:
        """See ``Opening.end``."""
        at = text.find(self.text, max(since, seen + 1 - len(self.text)))
        return at + len(self.text) if at >= 0 else -1


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled regular expression that matches no empty text."""

    program: Any

    def end(self, text: bytearray, since: int, seen: int) -> int:
        """See ``Opening.end``. Anchors and word boundaries see the text before ``since`` too."""
        match = self.program.search(text, max(since, seen - LOOKBACK))
        return match.end() if match else -1


@dataclass(frozen=True, slots=True)
class CompiledMarker:
    """A marker ready to be followed. ``tokens``: length of its window."""

    opens: Opening
    closes: Opening | None
    tokens: int


def check_markers(markers: Sequence[Marker], path: str, found: Violations) -> None:
    """Note everything wrong with markers; ``path`` is their field, ``….where.markers``."""
    if len(markers) > MOST_MARKERS:
        found.add(path, "TOO_MANY", f"has {len(markers)} markers; at most {MOST_MARKERS}")
    for index, marker in enumerate(markers):
        for field, reason, message in _faults(marker):
            found.add(f"{path}[{index}]{field}", reason, message)


@lru_cache(maxsize=128)
def compile_marker(marker: Marker) -> CompiledMarker:
    """Raises ValueError saying everything that is wrong with it."""
    faults = [f"{field[1:]} {message}".lstrip() for field, _, message in _faults(marker)]
    if faults:
        raise ValueError("marker: " + "; ".join(faults))
    return CompiledMarker(
        opens=Expression(_program(marker.regex)) if marker.regex else _literal(marker.text),
        closes=_literal(marker.until) if marker.until else None,
        tokens=FOREVER if marker.tokens is None else marker.tokens,
    )


class Markers:
    """Follows the markers of one ``Where`` along one row."""

    def __init__(self, markers: Sequence[Marker], stream: Stream) -> None:
        self._stream = stream
        self._text = bytearray()
        self._windows = [Window(compile_marker(marker)) for marker in markers]

    def take(self, token: int) -> bool:
        """Whether any is open at this token, the next of the row."""
        seen = len(self._text)
        self._text += self._stream.push(token).encode()
        # All of them have to see the token, so no short cut.
        return any([window.take(self._text, seen) for window in self._windows])

    def fork(self) -> "Markers":
        """The same state, going on by itself."""
        other = copy(self)
        other._stream = self._stream.fork()
        other._text = self._text.copy()
        other._windows = [copy(window) for window in self._windows]
        return other


class Window:
    """One marker along one row: how many tokens it is still open for.

    Offsets are in bytes of the row's text: ``_since`` where the next opening is looked for,
    ``_opened`` where the text begins in which the closing one is.
    """

    def __init__(self, marker: CompiledMarker) -> None:
        self._marker = marker
        self._left = 0
        self._since = 0
        self._opened = 0

    def take(self, text: bytearray, seen: int) -> bool:
        """Whether it is open at the token that brought ``text[seen:]``."""
        is_open = self._left > 0
        if is_open:
            self._left -= 1
        if len(text) == seen:
            return is_open
        if is_open and self._closes(text, seen):
            is_open = False
        self._look(text, seen, is_open)
        return is_open

    def _look(self, text: bytearray, seen: int, is_open: bool) -> None:
        """Follow the openings that the token completes, and what closes them again at once."""
        if is_open and self._marker.tokens == FOREVER:
            return
        while (end := self._marker.opens.end(text, self._since, seen)) >= 0:
            self._since, self._left = end, self._marker.tokens
            if not is_open:
                self._opened = end
                is_open = not self._closes(text, seen)

    def _closes(self, text: bytearray, seen: int) -> bool:
        closes = self._marker.closes
        end = closes.end(text, self._opened, seen) if closes else -1
        if end < 0:
            return False
        self._left, self._since = 0, end
        return True


def _faults(marker: Marker) -> Iterator[tuple[str, str, str]]:
    """(field, reason, message) of each."""
    if bool(marker.text) == bool(marker.regex):
        yield "", "REQUIRED", "needs exactly one of a text and a regex that opens it"
    if marker.tokens is not None and marker.tokens < 1:
        yield ".tokens", "OUT_OF_RANGE", f"is {marker.tokens}; give 1 or more"
    for field in ("text", "regex", "until"):
        fault = _fault_of_text(getattr(marker, field))
        if fault:
            yield f".{field}", *fault
        elif field == "regex" and marker.regex:
            for reason, message in _faults_of_regex(marker.regex):
                yield ".regex", reason, message


def _fault_of_text(text: str) -> tuple[str, str] | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "NOT_TEXT", "holds half a surrogate pair, which is no character"
    if size > LOOKBACK:
        return "TOO_LONG", f"has {size} bytes of UTF-8; at most {LOOKBACK}"
    return None


def _faults_of_regex(regex: str) -> Iterator[tuple[str, str]]:
    try:
        program = _program(regex)
    except re2.error as error:
        said = error.args[0].decode(errors="replace")
        hint = "RE2 syntax, which has no lookaround, backreferences or possessive repetition"
        yield "INVALID_REGEX", f"is not a regular expression ({hint}): {said}"
        return
    if program.programsize > LARGEST_PROGRAM:
        size = f"{program.programsize} instructions; at most {LARGEST_PROGRAM}"
        yield "TOO_LARGE", f"compiles to {size}: use smaller repetitions and character classes"
    if _matches_nothing(program):
        yield "MATCHES_EMPTY", "can match the empty text and would open everywhere"


def _matches_nothing(program: Any) -> bool:
    """Whether it has an empty match: that can only depend on the characters to both sides."""
    sides = (b"", b"a", b" ", b"\n")
    return any(
        program.fullmatch(before + after, len(before), len(before))
        for before in sides
        for after in sides
    )


def _literal(text: str) -> Literal:
    return Literal(text.encode())


def _program(regex: str) -> Any:
    return re2.compile(regex.encode(), _options())


@cache
def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True  # only where a match ends is wanted
    options.max_mem = 1 << 20
    return options
