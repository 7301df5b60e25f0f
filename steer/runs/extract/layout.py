"""How an extraction is cut into pieces, and what is kept of each text. Decided before anything is
read, so that a run that was killed goes on with the same pieces."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steer.runs.extract.examples import Example, Examples
from steer.specs import ExtractMethod, ExtractSpec

PIECES = 100
"""About so many pieces at most."""
LEAST = 8
"""Texts of each class in a piece, at least."""
KEPT = 1000
"""Rows of each class, about, that are kept where a method needs sums alone: of these are the
covariance within the classes and what is said of reliability."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Piece:
    """Texts that are read together. ``kept``: of which of them every row is kept."""

    number: int
    examples: tuple[Example, ...]
    kept: tuple[bool, ...]

    @property
    def rows(self) -> int:
        """Rows that are kept."""
        return sum(len(one.groups) for one in self.keeps())

    def keeps(self) -> Iterator[Example]:
        """The texts whose rows are kept, in order."""
        return (one for one, kept in zip(self.examples, self.kept, strict=True) if kept)


@dataclass(frozen=True, slots=True)
class Labels:
    """Of every row that is kept, in the order of pieces and texts: (rows,) each. ``text``: the
    text's index in its class; ``first``: whether it is the text's first row."""

    positive: NDArray[np.bool_]
    half: Ints
    text: Ints
    first: NDArray[np.bool_]

    def of(self, half: int) -> tuple[NDArray[np.bool_], "Labels"]:
        """Which rows are of a half, and their labels."""
        inside = self.half == half
        told = Labels(
            self.positive[inside], self.half[inside], self.text[inside], self.first[inside]
        )
        return inside, told


@dataclass(frozen=True, slots=True)
class Layout:
    """``half``: by a text's index, 0 or 1; texts of a pair share it."""

    pieces: tuple[Piece, ...]
    half: tuple[int, ...]

    def labels(self) -> Labels:
        """What the kept rows are."""
        told = [
            (one.positive, self.half[one.index], one.index, place == 0)
            for piece in self.pieces
            for one in piece.keeps()
            for place in range(len(one.groups))
        ]
        table = np.array(told, np.int64).reshape(-1, 4)
        return Labels(table[:, 0] > 0, table[:, 1], table[:, 2], table[:, 3] > 0)


def layout_of(spec: ExtractSpec, examples: Examples) -> Layout:
    """The same for equal examples and seeds."""
    count = max(len(examples.positive), len(examples.negative))
    order = random.Random(f"halves/{spec.seed}").sample(range(count), count)
    half = {index: place % 2 for place, index in enumerate(order)}
    everything = spec.method is not ExtractMethod.DIFFERENCE_OF_MEANS
    kept = set(order) if everything else _sample(order, examples)
    size = max(LEAST, -(-count // PIECES))
    pieces = (
        _piece(number, begin, begin + size, examples, kept)
        for number, begin in enumerate(range(0, count, size))
    )
    return Layout(tuple(pieces), tuple(half[index] for index in range(count)))


def _sample(order: Sequence[int], examples: Examples) -> set[int]:
    """Texts, the first of a random order, until they have rows enough of each class."""
    rows, kept = {True: 0, False: 0}, set()
    for index in order:
        if min(rows.values()) >= KEPT:
            break
        kept.add(index)
        for one in _both(examples, index, index + 1):
            rows[one.positive] += len(one.groups)
    return kept


def _piece(number: int, begin: int, end: int, examples: Examples, kept: set[int]) -> Piece:
    texts = tuple(_both(examples, begin, end))
    return Piece(number, texts, tuple(one.index in kept for one in texts))


def _both(examples: Examples, begin: int, end: int) -> tuple[Example, ...]:
    return (*examples.positive[begin:end], *examples.negative[begin:end])
