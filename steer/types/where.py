"""At which tokens an intervention acts."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """At which positions; P is the prompt length.

    ``prompt`` < P, ``generated`` >= P, ``decode`` >= P-1 (every position that predicts a generated
    token), ``first`` = P-1 alone, ``all``. ``generated`` never changes the first generated token.
    """

    PROMPT = "prompt"
    GENERATED = "generated"
    DECODE = "decode"
    FIRST = "first"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Range:
    """Half-open range of positions. None: no bound. Negative: P + bound, P the prompt length."""

    start: int | None = None
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """A stretch that the text of a row opens and closes: its decoded text from position 0, special
    tokens and prompt included, across token boundaries.

    Opens at the token after the one that completes ``text`` or a match of ``regex``; exactly one
    of them is given. Closes at the token that completes ``until``, which is outside, or after
    ``tokens`` tokens, whichever comes first; with neither it stays open. ``until`` is looked for
    after the text that opened it, so that both may be the same (a code fence). With ``tokens``,
    what opens it starts the count again when it comes while it is open. Once closed it may open
    again, by text that follows ``until``.

    ``regex`` (RE2 syntax: linear time, no lookaround, no backreferences; never the empty text) is
    matched against the text so far: from the end of the last match on, leftmost, at the first token
    at which it matches. The end of the text so far is an end for ``$`` and ``\\b``; text before the
    last match is still seen by ``^`` and ``\\b``. A match begins at most 1024 bytes (UTF-8) before
    the token that completes it; ``text``, ``regex`` and ``until`` are at most that long.
    """

    text: str = ""
    regex: str = ""
    until: str = ""
    tokens: int | None = None


class DecayShape(StrEnum):
    """How a multiplier falls with the number of tokens since the first touched one."""

    LINEAR = "linear"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class Decay:
    """``LINEAR``: 1 - n/tokens, at least 0. ``EXPONENTIAL``: halves every ``tokens`` tokens.

    n: positions of the sequence, touched or not, since the first touched one, whose multiplier is
    1. ``tokens`` is at least 1.
    """

    shape: DecayShape
    tokens: int


@dataclass(frozen=True, slots=True)
class Where:
    """At which tokens an intervention acts. All given conditions must hold.

    ``ranges``, ``markers``: in any of them. ``token_ids``: only at these; ``exclude_token_ids``:
    never at these, wherever they stand. Special tokens before position P-1 are left alone unless
    ``include_special_tokens``: they are attention sinks and template marks. At positions that
    predict a generated token they count like any other. ``every`` n: of the positions that meet all
    other conditions the 1st, (n+1)-th, (2n+1)-th, …; ``decay`` then scales those.
    """

    phase: Phase = Phase.ALL
    ranges: tuple[Range, ...] = ()
    token_ids: tuple[int, ...] = ()
    exclude_token_ids: tuple[int, ...] = ()
    include_special_tokens: bool = False
    markers: tuple[Marker, ...] = ()
    every: int = 1
    decay: Decay | None = None
