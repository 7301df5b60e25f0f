"""Arithmetic on stored vectors, as text: ``think - 0.5*hedge``. Parsed here, evaluated elsewhere.

    sum      = product, { ("+" | "-"), product } ;
    product  = signed, { ("*" | "/"), signed } ;
    signed   = { "+" | "-" }, atom ;
    atom     = number | name | "(", sum, ")" | function, "(", sum, { ",", sum }, ")" ;
    function = "mean" | "orthogonal_to" ;

``mean(a, b, …)`` is (a + b + …)/n, ``orthogonal_to(a, b)`` is a without its component along b. A
product has at most one vector, and it is not what is divided by.

A name is an address of a vector (``team/calm@2``) and goes as far as ``a-z 0-9 . _ - / @ :`` go,
so that ``-`` and ``/`` behind a name need a space before them: ``a - b``, since ``a-b`` is a name.
What reads as a number is one; a vector that is called like a number is quoted: ``'0.5'``.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import NoReturn

from steer.errors import InvalidRequest

LONGEST = 1000
"""Characters."""
DEEPEST = 20
"""Brackets within each other."""


@dataclass(frozen=True, slots=True)
class Name:
    """A stored vector by its address."""

    address: str


@dataclass(frozen=True, slots=True)
class Scaled:
    """A vector times a finite number."""

    of: "Node"
    by: float


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of one or more vectors."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Orthogonal:
    """A vector without its component along another."""

    of: "Node"
    to: "Node"


Node = Name | Scaled | Sum | Orthogonal


def parse(text: str) -> Node:
    """Read an expression. Raises InvalidRequest (``BAD_EXPRESSION``) saying where it goes wrong."""
    if len(text) > LONGEST:
        _refuse(f"has {len(text)} characters; give at most {LONGEST}")
    return _Parser(text).whole()


def names(node: Node) -> tuple[str, ...]:
    """The addresses in it, each once, in order."""
    return tuple(dict.fromkeys(_names(node)))


def renamed(text: str, rename: Callable[[str], str]) -> str:
    """The same expression with every name replaced by what ``rename`` makes of it.

    Raises InvalidRequest as ``parse``, also when the new names make it too long.
    """
    parse(text)
    parts, end = [], 0
    for token, after in pairwise(_tokens(text)):
        called = token.kind == "name" and after.text == "("
        if token.kind in ("name", "quoted") and not called:
            parts += [text[end : token.at - 1], rename(_unquoted(token))]
            end = token.at - 1 + len(token.text)
    whole = "".join((*parts, text[end:]))
    parse(whole)
    return whole


def is_expression(text: str) -> bool:
    """Whether a text that stands for a vector is to be parsed: it holds what no address does."""
    return _ADDRESS.fullmatch(text) is None and _ONLY_HERE.search(text) is not None


def _names(node: Node) -> Iterator[str]:
    match node:
        case Name(address):
            yield address
        case Scaled(of):
            yield from _names(of)
        case Sum(parts):
            yield from chain.from_iterable(map(_names, parts))
        case Orthogonal(of, to):
            yield from chain(_names(of), _names(to))


_RUN = r"[a-z0-9._/@:-]"
_ADDRESS = re.compile(rf"[a-z0-9]{_RUN}*")
_ONLY_HERE = re.compile(r"[ *+()'\"]|^-")
_TOKEN = re.compile(
    rf"""[ \t\r\n]*(?:
        (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?!{_RUN}))
      | (?P<name>{_ADDRESS.pattern})
      | (?P<quoted>"[^"]*"|'[^']*')
      | (?P<mark>[-+*/(),])
      | (?P<end>$)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    """``kind``: a group of ``_TOKEN``. ``at``: 1-based column."""

    kind: str
    text: str
    at: int

    @property
    def shown(self) -> str:
        return f"the end ({self.at})" if self.kind == "end" else f"{self.text!r} (at {self.at})"


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while True:
        match = _TOKEN.match(text, place)
        if match is None:
            rest = text[place:].lstrip()
            _refuse(f"{rest[:1]!r} at {len(text) - len(rest) + 1} has no meaning")
        kind = str(match.lastgroup)
        yield _Token(kind, match[kind], match.start(kind) + 1)
        if kind == "end":
            return
        place = match.end()


def _unquoted(token: _Token) -> str:
    return token.text.strip("'\"")


class _Parser:
    """Recursive descent over the tokens, looking one ahead. Numbers are worked out on the way."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        value = self._sum()
        if self._here.kind != "end":
            self._unexpected("an operator")
        return self._vector(value, "the whole")

    @property
    def _here(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *marks: str) -> str:
        """The mark that stands here, if it is one of these, and go on; else nothing."""
        if self._here.kind == "mark" and self._here.text in marks:
            self._next += 1
            return self._tokens[self._next - 1].text
        return ""

    def _sum(self) -> Node | float:
        parts = [self._product()]
        while mark := self._take("+", "-"):
            part = self._product()
            parts.append(part if mark == "+" else _times(part, -1.0))
        return self._added(parts)

    def _added(self, parts: Sequence[Node | float]) -> Node | float:
        numbers = [part for part in parts if isinstance(part, float)]
        vectors = [part for part in parts if not isinstance(part, float)]
        if numbers and vectors:
            _refuse(f"a number is added to a vector before {self._here.shown}")
        if numbers:
            return _finite(sum(numbers))
        return vectors[0] if len(vectors) == 1 else Sum(tuple(vectors))

    def _product(self) -> Node | float:
        value = self._signed()
        while mark := self._take("*", "/"):
            value = self._multiplied(value, mark, self._signed())
        return value

    def _multiplied(self, left: Node | float, mark: str, right: Node | float) -> Node | float:
        if isinstance(right, float):
            if mark == "/" and right == 0:
                _refuse(f"divides by zero before {self._here.shown}")
            if mark == "/" and isinstance(left, float):
                return _finite(left / right)
            return _times(left, right if mark == "*" else _finite(1 / right))
        if mark == "/" or not isinstance(left, float):
            done = "divided by" if mark == "/" else "multiplied by"
            _refuse(f"something is {done} a vector before {self._here.shown}; give a number")
        return _times(right, left)

    def _signed(self) -> Node | float:
        sign = 1.0
        while mark := self._take("+", "-"):
            sign = -sign if mark == "-" else sign
        return _times(self._atom(), sign)

    def _atom(self) -> Node | float:
        token = self._here
        if self._take("("):
            return self._bracketed()[0]
        if token.kind not in ("number", "name", "quoted"):
            self._unexpected("a vector or a number")
        self._next += 1
        if token.kind == "number":
            return _finite(float(token.text))
        if token.kind == "name" and self._take("("):
            return self._function(token)
        return Name(_unquoted(token))

    def _bracketed(self, most: int = 1) -> list[Node | float]:
        """What is between brackets, of which the first is taken: up to ``most`` with commas."""
        self._depth += 1
        if self._depth > DEEPEST:
            _refuse(f"has more than {DEEPEST} brackets within each other")
        found = [self._sum()]
        while len(found) < most and self._take(","):
            found.append(self._sum())
        if not self._take(")"):
            self._unexpected("')'" if len(found) == most else "',' or ')'")
        self._depth -= 1
        return found

    def _function(self, token: _Token) -> Node:
        if token.text not in _FUNCTIONS:
            known = " and ".join(_FUNCTIONS)
            _refuse(f"{token.shown} is no function; there are {known}")
        least, most, make = _FUNCTIONS[token.text]
        found = [self._vector(one, token.text) for one in self._bracketed(most)]
        if len(found) < least:
            _refuse(f"{token.text} takes at least {least} vectors before {self._here.shown}")
        return make(found)

    def _vector(self, value: Node | float, what: str) -> Node:
        if isinstance(value, float):
            _refuse(f"{what} takes vectors, not the number {value:g} before {self._here.shown}")
        return value

    def _unexpected(self, wanted: str) -> NoReturn:
        _refuse(f"wants {wanted} in place of {self._here.shown}")


def _mean(vectors: Sequence[Node]) -> Node:
    return _scaled(Sum(tuple(vectors)), 1 / len(vectors))


def _orthogonal(vectors: Sequence[Node]) -> Node:
    return Orthogonal(*vectors)


_FUNCTIONS: Mapping[str, tuple[int, int, Callable[[Sequence[Node]], Node]]] = {
    "mean": (1, LONGEST, _mean),
    "orthogonal_to": (2, 2, _orthogonal),
}
"""Least and most arguments, and what it makes of them."""


def _times(value: Node | float, by: float) -> Node | float:
    return _finite(value * by) if isinstance(value, float) else _scaled(value, by)


def _scaled(node: Node, by: float) -> Node:
    inner, by = (node.of, _finite(node.by * by)) if isinstance(node, Scaled) else (node, by)
    return inner if by == 1 else Scaled(inner, by)


def _finite(number: float) -> float:
    if not math.isfinite(number):
        _refuse("holds a number that is too large")
    return number


def _refuse(problem: str) -> NoReturn:
    message = f"the expression {problem}"
    raise InvalidRequest(message, reason="BAD_EXPRESSION")
