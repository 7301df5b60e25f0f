"""Reads the activations of pieces, several texts at once, in the background."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from steer.errors import FailedPrecondition
from steer.intervene.captures import Captured
from steer.intervene.plan import Plan
from steer.runs.extract.examples import Example
from steer.runs.extract.layout import Layout, Piece
from steer.runs.extract.spool import Spool, Writer
from steer.runs.kind import Context
from steer.types import BASELINE, CaptureTrial, Prompt, Range, Sampling, Site, Trial, Where

Floats = NDArray[np.float64]


def gather(
    pieces: Iterable[Piece],
    layout: Layout,
    spool: Spool,
    sites: Sequence[Site],
    context: Context,
) -> Iterator[Piece]:
    """Read pieces; each when it is on disk. Raises FailedPrecondition (NOT_FINITE) where the model
    gives what is no number."""
    plans = (
        ((piece, place), reading(example, sites, context))
        for piece in pieces
        for place, example in enumerate(piece.examples)
    )
    writers: dict[int, Writer] = {}
    for (piece, place), answer in context.answers(plans):
        if piece.number not in writers:
            writers[piece.number] = spool.write(piece, layout)
        rows = pooled(piece.examples[place], answer.captured[BASELINE, 0], sites)
        if writers[piece.number].add(place, rows):
            writers.pop(piece.number).seal()
            yield piece


def reading(example: Example, sites: Sequence[Site], context: Context) -> Plan:
    """The plan that reads a text, which is a prompt as a whole."""
    where = Where(ranges=tuple(_ranges(example.positions)), include_special_tokens=True)
    # A row samples one token at least; nobody looks at it.
    trial = Trial(Prompt(token_ids=example.ids), sampling=Sampling(max_tokens=1, ignore_eos=True))
    return context.planner.capture(CaptureTrial(trial, tuple(sites), where), "")


def pooled(example: Example, captured: Captured, sites: Sequence[Site]) -> Floats:
    """The mean of each group of positions: (sites, groups, d_model)."""
    found = [_means(example, captured.activations[site]) for site in sites]
    for site, means in zip(sites, found, strict=True):
        if not np.isfinite(means).all():
            where = f"{'positive' if example.positive else 'negative'} text {example.index}"
            message = f"the model's activations at {site} are not all finite numbers in {where}"
            raise FailedPrecondition(message, reason="NOT_FINITE")
    return np.stack(found)


def _means(example: Example, read: tuple[tuple[int, ...], NDArray[np.float32]]) -> Floats:
    at: Mapping[int, int] = {position: row for row, position in enumerate(read[0])}
    return np.stack(
        [read[1][[at[p] for p in group]].mean(0, dtype=np.float64) for group in example.groups]
    )


def _ranges(positions: Sequence[int]) -> Iterator[Range]:
    """Ascending positions as stretches."""
    begin = positions[0]
    for last, following in zip(positions, (*positions[1:], None), strict=True):
        if following != last + 1:
            yield Range(begin, last + 1)
            begin = following if following is not None else begin
