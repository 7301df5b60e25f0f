"""At which tokens: one multiplier for each token of a row, on the host. No torch.

A cursor follows one (row, intervention); it is shown every token once, in order, and answers with
a multiplier, 0 meaning untouched.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from copy import copy

from steer.intervene.markers import Markers, Stream
from steer.types import Decay, DecayShape, Phase, Range, Where

END = 1 << 62


class Cursor:
    """Evaluates a ``Where`` along one row.

    ``prompt_length`` is P; ``special`` the model's special token ids; ``stream`` makes a decoder
    that shows special tokens (``Text.stream((), special=True)``) and is called only if there are
    markers. Raises ValueError for markers without it, and for one that can not be compiled.
    """

    def __init__(
        self,
        where: Where,
        prompt_length: int,
        special: AbstractSet[int],
        stream: Callable[[], Stream] | None = None,
    ) -> None:
        if where.markers and stream is None:
            raise ValueError("markers are matched on text: give a stream")
        self._next = 0
        self._edges = edges(where, prompt_length)
        self._predicts = prompt_length - 1
        self._skipped = frozenset(where.exclude_token_ids)
        spared = frozenset() if where.include_special_tokens else special
        self._skipped_before = self._skipped | spared if self._skipped else spared
        self._only = frozenset(where.token_ids)
        self._markers = Markers(where.markers, stream()) if where.markers and stream else None
        self._schedule = _Schedule(where) if where.every > 1 or where.decay else None

    def take(self, start: int, tokens: Sequence[int]) -> list[float]:
        """Multipliers of the tokens at positions ``start, start + 1, …``.

        Raises ValueError unless ``start`` follows what was taken last: what a token gets depends
        on all before it.
        """
        if start != self._next:
            raise ValueError(f"position {self._next} comes next, not {start}")
        self._next += len(tokens)
        if self._is_outside(start, self._next):
            return [0.0] * len(tokens)
        return [self._multiplier(place, token) for place, token in enumerate(tokens, start)]

    def fork(self) -> "Cursor":
        """A cursor at the same place of an equal row, going on by itself."""
        other = copy(self)
        other._markers = self._markers and self._markers.fork()
        other._schedule = copy(self._schedule)
        return other

    def _is_outside(self, start: int, stop: int) -> bool:
        """Whether nothing of a stretch counts, and nothing after it can depend on its tokens."""
        index = bisect_right(self._edges, start)
        if index == len(self._edges):
            return True
        return index % 2 == 0 and stop <= self._edges[index] and self._markers is None

    def _multiplier(self, position: int, token: int) -> float:
        counts = self._counts(position, token)
        if self._markers is not None:
            counts = self._markers.take(token) and counts
        if not counts:
            return 0.0
        return self._schedule.multiplier(position) if self._schedule else 1.0

    def _counts(self, position: int, token: int) -> bool:
        """All conditions that can be seen from one token alone."""
        if not bisect_right(self._edges, position) % 2:
            return False
        if token in (self._skipped if position >= self._predicts else self._skipped_before):
            return False
        return not self._only or token in self._only


class _Schedule:
    """``every`` and ``decay``: what depends on which positions have passed before."""

    def __init__(self, where: Where) -> None:
        self._every, self._decay = where.every, where.decay
        self._passed = 0
        self._first = -1

    def multiplier(self, position: int) -> float:
        """Of a position that meets all other conditions."""
        turn = self._passed % self._every
        self._passed += 1
        if turn:
            return 0.0
        if self._first < 0:
            self._first = position
        return decayed(self._decay, position - self._first) if self._decay else 1.0


def decayed(decay: Decay, distance: int) -> float:
    """The multiplier ``distance`` positions after the first touched one, 0 to 1."""
    if decay.shape is DecayShape.LINEAR:
        return max(0.0, 1.0 - distance / decay.tokens)
    return float(0.5 ** (distance / decay.tokens))


def edges(where: Where, prompt_length: int) -> tuple[int, ...]:
    """Where phase and ranges begin to hold, cease to hold, begin again, …, ascending.

    A position is inside if an odd number of edges is not above it. No edge: it can not act.
    """
    first, last = bounds(where.phase, prompt_length)
    merged: list[int] = []
    for start, stop in sorted(_resolved(one, prompt_length) for one in where.ranges or (Range(),)):
        start, stop = max(start, first), min(stop, last)
        if start >= stop:
            continue
        if merged and start <= merged[-1]:
            merged[-1] = max(merged[-1], stop)
        else:
            merged += (start, stop)
    return tuple(merged)


def _resolved(one: Range, prompt_length: int) -> tuple[int, int]:
    start = 0 if one.start is None else one.start
    stop = END if one.stop is None else one.stop
    return (
        start if start >= 0 else prompt_length + start,
        stop if stop >= 0 else prompt_length + stop,
    )


def bounds(phase: Phase, prompt_length: int) -> tuple[int, int]:
    """Half-open range of positions of a phase."""
    return {
        Phase.PROMPT: (0, prompt_length),
        Phase.GENERATED: (prompt_length, END),
        Phase.DECODE: (prompt_length - 1, END),
        Phase.FIRST: (prompt_length - 1, prompt_length),
        Phase.ALL: (0, END),
    }[phase]


def acts_before(
    where: Where,
    prompt: Sequence[int],
    special: AbstractSet[int],
    stream: Callable[[], Stream] | None = None,
) -> bool:
    """Whether it acts before the last position of this prompt, so that the prompt's keys and
    values change. The arguments are those of ``Cursor``, the prompt's tokens for their number.

    Reads the prompt up to the first token it acts on; only where phase and ranges exclude all of
    it, none.
    """
    reached = edges(where, len(prompt))[:1]
    if not reached or reached[0] >= len(prompt) - 1:
        return False
    cursor = Cursor(where, len(prompt), special, stream)
    return any(cursor.take(place, (token,))[0] for place, token in enumerate(prompt[:-1]))
