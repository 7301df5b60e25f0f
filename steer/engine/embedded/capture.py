"""Reading activations of running rows: what plans ask for, taken where steering has just acted."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from steer.engine.embedded.encoders import Encoders
from steer.engine.rows import Job, Row
from steer.intervene.latents import normalise
from steer.intervene.plan import Readout
from steer.types import CapturedActivations, CapturedFeatures, Latents, Site

PIECE = 2**20
"""Bytes of activations in one event, about."""
_POSITIONS = 1024
"""Positions of features in one event."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Tokens of a row to be read in the coming step: places in the flat batch, positions."""

    job: Job
    row: Row
    places: tuple[int, ...]
    positions: tuple[int, ...]


class Capturing:
    """What is read in a step. ``encoders``: whole encoders on the device of a site."""

    def __init__(self, encoders: Callable[[Site], Encoders]) -> None:
        self._encoders = encoders
        self._asked: Sequence[Asked] = ()
        self._places: dict[Site, list[int]] = {}
        self._found: dict[Site, Tensor] = {}

    def select(self, asked: Sequence[Asked]) -> None:
        """Decide what is read in the coming step."""
        self._asked, self._found = asked, {}
        places: dict[Site, list[int]] = defaultdict(list)
        for one in asked:
            for site in _sites(one.job):
                places[site] += one.places
        self._places = dict(places)

    def read(self, site: Site, flat: Tensor) -> None:
        """Take what is asked for of activations (tokens, d_model) at a site."""
        places = self._places.get(site)
        if places:
            index = torch.tensor(places, device=flat.device)
            self._found[site] = flat.index_select(0, index).float()

    def collect(self) -> None:
        """Give every job what the step has read for it."""
        taken: dict[Site, int] = defaultdict(int)
        for one in self._asked:
            parts: dict[Site, Tensor] = {}
            for site in _sites(one.job):
                begin = taken[site]
                taken[site] += len(one.places)
                parts[site] = self._found[site][begin : taken[site]]
            for event in self._events(one, parts):
                one.job.captured(event)
        self._asked, self._places, self._found = (), {}, {}

    def _events(
        self, one: Asked, parts: dict[Site, Tensor]
    ) -> Iterator[CapturedActivations | CapturedFeatures]:
        plan, row = one.job.plan.capture, one.row
        assert plan is not None
        for site in plan.sites:
            for positions, values in _pieces(one.positions, parts[site]):
                data = values.cpu().numpy().astype("<f4", copy=False).tobytes()
                yield CapturedActivations(row.arm.name, row.sample, site, positions, data)
        for readout in plan.features:
            latents = self._latents(readout, parts[readout.dictionary.site])
            for begin in range(0, len(latents), _POSITIONS):
                part = slice(begin, begin + _POSITIONS)
                yield CapturedFeatures(
                    row.arm.name,
                    row.sample,
                    readout.dictionary.name,
                    one.positions[part],
                    tuple(latents[part]),
                )

    def _latents(self, readout: Readout, h: Tensor) -> list[Latents]:
        dictionary = readout.dictionary
        x, _ = normalise(h, dictionary.spec.normalize.value)
        encoders = self._encoders(dictionary.site)
        return [
            latents
            for part in encoders.activations(dictionary, x)
            for latents in _picked(readout, part)
        ]


def _picked(readout: Readout, activations: Tensor) -> Iterator[Latents]:
    """The chosen latents of each token from all of them, (n, d_sae)."""
    best = activations.topk(min(readout.top_k, activations.shape[-1]), dim=-1)
    chosen = activations[:, list(readout.indices)].tolist()
    for indices, values, asked in zip(
        best.indices.tolist(), best.values.tolist(), chosen, strict=True
    ):
        active = [(i, a) for i, a in zip(indices, values, strict=True) if a > 0]
        pairs = dict(active) | dict(zip(readout.indices, asked, strict=True))
        yield Latents(tuple(pairs), tuple(pairs.values()))


def _sites(job: Job) -> list[Site]:
    plan = job.plan.capture
    assert plan is not None
    return sorted({*plan.sites, *(readout.dictionary.site for readout in plan.features)})


def _pieces(positions: tuple[int, ...], values: Tensor) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    count = max(1, PIECE // (4 * values.shape[-1]))
    for begin in range(0, len(positions), count):
        yield positions[begin : begin + count], values[begin : begin + count]
