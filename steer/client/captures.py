"""What a capture read: activations and features of the rows of a trial, and what was kept."""

import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

import steer.v1 as pb
from steer import wire
from steer.client.assembly import Assembly
from steer.client.results import Comparison
from steer.client.sites import SiteLike, as_site
from steer.errors import ServerError
from steer.types import (
    BASELINE,
    CapturedActivations,
    CapturedFeatures,
    Chunk,
    Finished,
    HeldCapture,
    Site,
    Started,
)

K = TypeVar("K")
V = TypeVar("V")

# What a stream yields; what was kept comes last, all together.
CaptureEvent = (
    Started
    | Chunk
    | Finished
    | CapturedActivations
    | CapturedFeatures
    | tuple[HeldCapture, ...]
)  # fmt: skip


class Activations(NamedTuple):
    """Activations of one row at one site: ``values`` has the shape (positions, d_model), float32;
    a numpy array, or a memoryview where numpy is not installed."""

    positions: tuple[int, ...]
    values: Any


@dataclass(frozen=True, slots=True, repr=False)
class Capture:
    """What was read of a trial, and what it generated meanwhile, which is in ``generated``."""

    generated: Comparison
    _activations: Mapping[tuple[str, int, Site], Sequence[CapturedActivations]]
    _features: Mapping[tuple[str, int, str], Sequence[CapturedFeatures]]
    _held: Mapping[tuple[str, int], HeldCapture]

    @property
    def started(self) -> Started:
        """Everything that was applied."""
        return self.generated.started

    def activations(
        self, arm: str = BASELINE, site: SiteLike | None = None, sample: int = 0
    ) -> Activations:
        """Activations of a row at a site, after the interventions there. ``site``: a layer, (layer,
        point) or a Site; it may be left out when there is one. Raises KeyError for another."""
        place = _only(self._activations) if site is None else as_site(site)
        parts = _found(self._activations, (arm, sample, place))
        positions = tuple(position for part in parts for position in part.positions)
        return Activations(positions, _matrix(b"".join(p.data for p in parts), len(positions)))

    def features(
        self, arm: str = BASELINE, dictionary: str | None = None, sample: int = 0
    ) -> dict[int, dict[int, float]]:
        """By position, the latents that were read of a row and their activations, the most active
        first. ``dictionary`` may be left out when there is one. Raises KeyError for another."""
        name = _only(self._features) if dictionary is None else dictionary
        return {
            position: dict(zip(latents.indices, latents.activations, strict=True))
            for part in _found(self._features, (arm, sample, name))
            for position, latents in zip(part.positions, part.latents, strict=True)
        }

    def held(self, arm: str = BASELINE, sample: int = 0) -> str:
        """The id under which the server keeps a row's activations, for ``steer.patch(capture=…)``.
        Raises KeyError when it keeps none of that row."""
        return _found(self._held, (arm, sample)).capture_id

    def __repr__(self) -> str:
        read = sorted({str(place) for *_, place in (*self._activations, *self._features)})
        return f"Capture(arms={list(self.generated.arms)}, read={read}, held={len(self._held)})"


def events(message: pb.CaptureResponse) -> Iterator[CaptureEvent]:
    """What one message of a stream says. A kind of event that is not known is passed over."""
    match message.WhichOneof("event"):
        case "started":
            yield wire.parse_started(message.started)
        case "chunks":
            yield from map(wire.parse_chunk, message.chunks.chunks)
        case "activations":
            yield wire.parse_activations(message.activations)
        case "features":
            yield wire.parse_features(message.features)
        case "finished":
            yield wire.parse_finished(message.finished)
        case "held":
            yield wire.parse_held(message.held)


class CaptureAssembly:
    """Takes events in any order and makes a capture of them."""

    def __init__(self) -> None:
        self._trial = Assembly()
        self._activations: dict[tuple[str, int, Site], list[CapturedActivations]] = {}
        self._features: dict[tuple[str, int, str], list[CapturedFeatures]] = {}
        self._held: dict[tuple[str, int], HeldCapture] | None = None

    def take(self, event: CaptureEvent) -> None:
        """Note one event."""
        match event:
            case CapturedActivations():
                key = (event.arm, event.sample, event.site)
                self._activations.setdefault(key, []).append(event)
            case CapturedFeatures():
                named = (event.arm, event.sample, event.dictionary)
                self._features.setdefault(named, []).append(event)
            case Started() | Chunk() | Finished():
                self._trial.take(event)
            case _:
                self._held = {(one.arm, one.sample): one for one in event}

    def result(self) -> Capture:
        """Everything so far. Raises ServerError when the stream broke off before its end."""
        if self._held is None:
            raise ServerError("the answer ended before all activations had come")
        return Capture(self._trial.result(), self._activations, self._features, self._held)


def _found(rows: Mapping[K, V], key: K) -> V:
    if key not in rows:
        raise KeyError(f"{_words(key)} was not captured; have {'; '.join(map(_words, rows))}")
    return rows[key]


def _words(key: Any) -> str:
    arm, sample, *place = key
    return ", ".join((f"arm {arm!r}", f"sample {sample}", *map(str, place)))


def _only(rows: Iterable[tuple[Any, ...]]) -> Any:
    places = sorted({key[-1] for key in rows})
    if len(places) != 1:
        raise KeyError(f"say which of {', '.join(map(str, places)) or 'none'}")
    return places[0]


def _matrix(data: bytes, rows: int) -> Any:
    width = len(data) // 4 // rows if rows else 0
    try:
        numpy = import_module("numpy")
    except ImportError:
        numbers = array("f", data)
        if sys.byteorder == "big":
            numbers.byteswap()
        view = memoryview(numbers)
        # A memoryview has no empty dimensions.
        return view.cast("B").cast("f", (rows, width)) if data else view
    return numpy.frombuffer(data, "<f4").reshape(rows, width)
