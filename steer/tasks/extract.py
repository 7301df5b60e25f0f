"""How the answer is read from a completion of a user's task. One row of a table for each way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Context
from operator import eq
from typing import Any

import re2

from steer.errors import InvalidRequest
from steer.tasks import mathematics

Read = Callable[[str], str | None]
Find = Callable[[str], tuple[int, int] | None]

_NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?:[eE][-+]?\d+)?"
)
_CHOICE = re.compile(r"(?<![\w'’])[(\[]?([A-Z])[)\].:]?(?![\w'’])")
# Without traps, what is beyond all bounds becomes infinite instead of an error.
_EXACT = Context(prec=200, traps=[])


@dataclass(frozen=True, slots=True)
class Extractor:
    """``read``: the answer a completion gives, in the form that answers are compared in; None
    without one. ``gold``: the same of an answer as the task's file writes it, None when no
    completion could ever give it. ``same``: whether an answer that was read is the gold one.
    ``find``: which characters of a completion are its answer, half open; None for ``math``, which
    does not tell."""

    read: Read
    gold: Read
    same: Callable[[str, str], bool] = eq
    find: Find | None = None


def extractor(name: str, pattern: str = "") -> Extractor:
    """A row of ``EXTRACTORS``.

    ``exact``: the whole text without outer white space. ``last_line``: the same of the last line
    that is not empty. ``number``: the last number, compared as a number (1,000.0 is 1000).
    ``choice``: the last capital letter that stands alone, perhaps in brackets. ``regex``: group 1
    of the last match of ``pattern`` (RE2 syntax), or the whole match when it has no group.
    ``math``: the last mathematical expression, compared by Math-Verify (extra ``reasoning``).
    Raises InvalidRequest for another name, a bad pattern, or a pattern where none belongs.
    """
    if name not in EXTRACTORS:
        known = ", ".join(EXTRACTORS)
        raise InvalidRequest(f"extractor: {name!r} is unknown; there are {known}")
    if bool(pattern) != (name == "regex"):
        raise InvalidRequest(f"pattern: belongs to the extractor regex, and to it alone ({name})")
    return EXTRACTORS[name](pattern)


def _found(find: Find, gold: Read, form: Callable[[str], str | None] = str) -> Extractor:
    """Reads what ``find`` finds, in a form of its own."""

    def read(text: str) -> str | None:
        span = find(text)
        return None if span is None else form(text[slice(*span)])

    return Extractor(read, gold, find=find)


def _exact(_: str) -> Extractor:
    return _found(lambda text: _bare(text, (0, len(text))), _stripped)


def _last_line(_: str) -> Extractor:
    def gold(answer: str) -> str | None:
        return _stripped(answer) if len(answer.strip().splitlines()) == 1 else None

    return _found(_bottom, gold)


def _number(_: str) -> Extractor:
    def gold(answer: str) -> str | None:
        found = _NUMBER.fullmatch(answer.strip())
        return _plain(found[0]) if found and found[0] else None

    return _found(_last_number, gold, _plain)


def _choice(_: str) -> Extractor:
    def gold(answer: str) -> str | None:
        found = _CHOICE.fullmatch(answer.strip())
        return found[1] if found else None

    def find(text: str) -> tuple[int, int] | None:
        return _last(match.span(1) for match in _CHOICE.finditer(text))

    return _found(find, gold)


def _regex(pattern: str) -> Extractor:
    whole = _program(pattern)
    if whole.groups > 1:
        raise InvalidRequest(f"pattern: has {whole.groups} groups; want one, or none")
    # What the answer itself has to look like for the pattern ever to give it.
    inner = _program(_group(pattern) if whole.groups else pattern)

    def find(text: str) -> tuple[int, int] | None:
        span = _last(match.span(whole.groups) for match in whole.finditer(text))
        # A group that takes no part in the match is at -1.
        return _bare(text, span) if span and span[0] >= 0 else None

    def gold(answer: str) -> str | None:
        return _stripped(answer) if inner.fullmatch(answer.strip()) else None

    return _found(find, gold)


def _math(_: str) -> Extractor:
    judge = mathematics.judge()
    return Extractor(judge.read, lambda answer: judge.read(f"${answer}$"), judge.same)


EXTRACTORS: Mapping[str, Callable[[str], Extractor]] = {
    "exact": _exact,
    "number": _number,
    "choice": _choice,
    "regex": _regex,
    "last_line": _last_line,
    "math": _math,
}


def _stripped(text: str) -> str | None:
    return text.strip() or None


def _last(spans: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    found = list(spans)
    return found[-1] if found else None


def _bare(text: str, span: tuple[int, int]) -> tuple[int, int] | None:
    """The span without outer white space; None when nothing is left."""
    inside = text[slice(*span)]
    begin = span[0] + len(inside) - len(inside.lstrip())
    length = len(inside.strip())
    return (begin, begin + length) if length else None


def _bottom(text: str) -> tuple[int, int] | None:
    end = len(text.rstrip())
    line = text[:end].splitlines()[-1:]
    return _bare(text, (end - len(line[0]), end)) if line else None


def _last_number(text: str) -> tuple[int, int] | None:
    return _last(match.span() for match in _NUMBER.finditer(text) if match[0])


def _plain(number: str) -> str | None:
    value = _EXACT.create_decimal(number.replace(",", "").replace("−", "-"))
    # Adding 0 writes 1E+3 as 1000, and -0 as 0.
    return str(_EXACT.add(value.normalize(_EXACT), 0)) if value.is_finite() else None


def _program(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 22
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0]
        said = said.decode(errors="replace") if isinstance(said, bytes) else said
        raise InvalidRequest(f"pattern: is no regular expression of RE2: {said}") from None


def _group(pattern: str) -> str:
    """The one capturing group of a pattern by itself, under the pattern's leading flags."""
    start = next(match.end() for match in _TOKEN.finditer(pattern) if match[0] in ("(", "(?P<"))
    flags = re.match(r"\(\?[imsU]+\)", pattern)
    depth, end = 1, start
    for match in _TOKEN.finditer(pattern, start):
        depth += {"(": 1, ")": -1}.get(match[0][:1], 0)
        if not depth:
            end = match.start()
            break
    inner = pattern[start:end]
    name = re.match(r"\w+>", inner) if pattern[start - 4 : start] == "(?P<" else None
    return (flags[0] if flags else "") + inner[name.end() if name else 0 :]


# An escaped character, a class, or a bracket, however it goes on.
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P<|\(\?|[()]", re.DOTALL)
