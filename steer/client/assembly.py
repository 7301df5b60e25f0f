"""Rows put together from a stream, or taken from a whole answer."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Protocol, TypeVar

import steer.v1 as pb
from steer import wire
from steer.client.results import ArmResult, Comparison, Row
from steer.errors import ServerError
from steer.types import Branches, Chunk, Finished, Measurement, Started

T = TypeVar("T")

# What a stream yields; measurements come last, all together.
Event = Started | Chunk | Finished | Branches | tuple[Measurement, ...]

E = TypeVar("E", contravariant=True)
R = TypeVar("R", covariant=True)


class Assembling(Protocol[E, R]):
    """Makes one result of the events of a stream."""

    def take(self, event: E) -> None:
        """Note one event."""

    def result(self) -> R:
        """Everything so far. Raises ServerError when the stream broke off before its end."""


def events(message: pb.GenerateResponse) -> Iterator[Event]:
    """What one message of a stream says. A kind of event that is not known is passed over."""
    match message.WhichOneof("event"):
        case "started":
            yield wire.parse_started(message.started)
        case "chunks":
            yield from map(wire.parse_chunk, message.chunks.chunks)
        case "finished":
            yield wire.parse_finished(message.finished)
        case "branches":
            yield wire.parse_branches(message.branches)
        case "measurements":
            yield tuple(map(wire.parse_measurement, message.measurements.measurements))


def from_answer(message: pb.CompareResponse) -> Comparison:
    """The comparison in an answer."""
    assembly = Assembly()
    assembly.take(wire.parse_started(message.started))
    for row in message.rows:
        for event in wire.parse_row(row):
            assembly.take(event)
    for one in message.branches:
        assembly.take(wire.parse_branches(one))
    assembly.take(tuple(map(wire.parse_measurement, message.measurements)))
    return assembly.result()


class Assembly:
    """Takes events in any order and makes a comparison of them."""

    def __init__(self) -> None:
        self._started: Started | None = None
        self._chunks: dict[tuple[str, int], list[Chunk]] = {}
        self._finished: dict[tuple[str, int], Finished] = {}
        self._measured: dict[tuple[str, int], Measurement] = {}
        self._branches: dict[str, Branches] = {}

    def take(self, event: Event) -> None:
        """Note one event."""
        match event:
            case Started():
                self._started = event
            case Chunk():
                self._chunks.setdefault((event.arm, event.sample), []).append(event)
            case Finished():
                self._finished[event.arm, event.sample] = event
            case Branches():
                self._branches[event.arm] = event
            case _:
                self._measured.update({(one.arm, one.sample): one for one in event})

    def result(self) -> Comparison:
        """Everything so far. Raises ServerError when the stream broke off before its end."""
        started = self._started
        if started is None:
            raise ServerError("the answer ended before it began")
        names = [arm.name for arm in started.arms]
        arms = {
            name: ArmResult(name, self._rows(name, started.samples), self._branches.get(name))
            for name in names
        }
        return Comparison(started, arms)

    def _rows(self, arm: str, samples: int) -> tuple[Row, ...]:
        missing = [i for i in range(samples) if (arm, i) not in self._finished]
        if missing:
            raise ServerError(f"the answer ended before sample {missing[0]} of arm {arm!r} did")
        return tuple(self._row(self._finished[arm, i]) for i in range(samples))

    def _row(self, finished: Finished) -> Row:
        key = finished.arm, finished.sample
        chunks = self._chunks.get(key, [])
        return Row(
            arm=finished.arm,
            sample=finished.sample,
            text="".join(chunk.text for chunk in chunks),
            token_ids=_joined(chunk.token_ids for chunk in chunks),
            logprobs=_joined(chunk.logprobs for chunk in chunks),
            ranks=_joined(chunk.ranks for chunk in chunks),
            alternatives=_joined(chunk.alternatives for chunk in chunks),
            finish_reason=finished.reason,
            stop=finished.stop,
            usage=finished.usage,
            receipts=finished.receipts,
            measurement=self._measured.get(key),
            margins=_joined(chunk.margins for chunk in chunks),
        )


def _joined(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(chain.from_iterable(parts))
