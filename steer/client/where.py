"""At which tokens, as a caller writes it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from steer import wire
from steer.client.checked import build, check, member
from steer.errors import InvalidRequest
from steer.types import Decay, DecayShape, Marker, Phase, Range, Where

# A phase, or a ready Where.
WhereLike = str | Where


class Conditions(TypedDict, total=False):
    """What can be asked of a token besides its phase. All that is given must hold.

    ``ranges``: half-open (start, stop) pairs of positions, None for no bound, negative ones from
    the end of the prompt. ``token_ids`` / ``exclude_token_ids``: only at, never at these tokens.
    ``include_special_tokens``: also touch special tokens before the last of the prompt.
    ``after`` (a text) or ``regex`` (RE2 syntax) opens a stretch, matched on decoded text;
    ``until`` (a text) closes it, and so does ``window``, a number of tokens. ``markers``: several
    such stretches. ``every``: only every n-th of the tokens that are left. ``decay``: a
    ``steer.Decay``, or ("linear" or "exponential", tokens).
    """

    ranges: Iterable[Range | tuple[int | None, int | None]]
    token_ids: Iterable[int]
    exclude_token_ids: Iterable[int]
    include_special_tokens: bool
    after: str
    regex: str
    until: str
    window: int
    markers: Iterable[Marker]
    every: int
    decay: Decay | tuple[str, int]


def where(phase: WhereLike | None = None, **conditions: Unpack[Conditions]) -> Where:
    """At which tokens: a phase (prompt, generated, decode, first, all; default all), or a ``Where``
    to go on from, and further conditions. For those see ``Conditions``.

        steer.where("decode", after="<think>", until="</think>")
        steer.where("prompt", ranges=[(-5, None)])

    Raises InvalidRequest.
    """
    if unknown := conditions.keys() - Conditions.__annotations__.keys():
        names = ", ".join(Conditions.__annotations__)
        raise TypeError(f"unknown condition {min(unknown)!r}; have {names}")
    base = phase if isinstance(phase, Where) else Where(member(Phase, phase or Phase.ALL))
    made = replace(base, **build(_fields, **conditions))
    return check(made, wire.build_where, wire.parse_where)


def _fields(**given: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: given[name] for name in ("include_special_tokens", "every") if name in given
    }
    for name in ("token_ids", "exclude_token_ids"):
        if name in given:
            fields[name] = tuple(given[name])
    if "ranges" in given:
        fields["ranges"] = tuple(map(_range, given["ranges"]))
    if markers := _markers(**given):
        fields["markers"] = markers
    if "decay" in given:
        fields["decay"] = _decay(given["decay"])
    return fields


def _markers(
    *,
    markers: Iterable[Marker] = (),
    after: str = "",
    regex: str = "",
    until: str = "",
    window: int | None = None,
    **_: Any,
) -> tuple[Marker, ...]:
    single = Marker(after, regex, until, window)
    if single == Marker():
        return tuple(markers)
    if not (after or regex):
        raise InvalidRequest("until and window close what after or regex opens; give one of those")
    return (*markers, single)


def _range(value: Any) -> Range:
    return value if isinstance(value, Range) else Range(*value)


def _decay(value: Any) -> Decay | None:
    if value is None or isinstance(value, Decay):
        return value
    shape, tokens = value
    return Decay(member(DecayShape, shape), tokens)
