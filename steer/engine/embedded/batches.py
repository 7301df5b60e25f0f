"""From what acts where to the tensors of a step: one batch for each *kind* of work at a site."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from steer.engine.embedded.entries import Active, Entry, Mark
from steer.intervene.plan import PlannedGate
from steer.store import Dictionary
from steer.types import Site

DeviceOf = Callable[[Site], torch.device]


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """What all of one op call at a site have in common. ``normalize``: how the dictionary reads
    its site. ``chooser``: content hash of a top-k dictionary, which chooses among all latents."""

    turn: int
    op: str
    keep_norm: bool
    gated: bool
    normalize: str
    chooser: str


@dataclass(slots=True, eq=False)
class Batch:
    """One op call: n tokens, p components (n = p and in order when ``owner`` is None).

    ``tokens``, ``changes`` (its meters), ``gates`` (places among the step's gates) and ``ones``:
    (n,). ``first``: the first of tokens that follow each other, else None. ``owner`` (the token of
    each component) and ``latents``: (p,). ``rows`` of the bank: (p, r). ``params``: (p, k).
    ``before`` and ``after``: meters of latents, (p,). ``directions``: what the rows hold, once it
    was gathered; batches live as long as nothing changes.
    """

    kind: Kind
    dictionary: Dictionary | None
    tokens: Tensor
    changes: Tensor
    gates: Tensor | None
    owner: Tensor | None
    rows: Tensor
    params: Tensor
    latents: Tensor
    before: Tensor
    after: Tensor
    ones: Tensor
    first: int | None
    directions: Tensor | None = None


@dataclass(frozen=True, slots=True, order=True)
class GateKind:
    """What all gates of one call at a site have in common."""

    reading: str
    normalize: str
    chooser: str


@dataclass(frozen=True, slots=True)
class GateBatch:
    """Gates to be read: all (n,), but ``rows`` (n, 1) and ``params`` (n, k)."""

    kind: GateKind
    dictionary: Dictionary | None
    tokens: Tensor
    places: Tensor
    rows: Tensor
    params: Tensor
    latents: Tensor
    threshold: Tensor
    below: Tensor
    absolute: Tensor
    readings: Tensor
    opened: Tensor


@dataclass
class SiteWork:
    """All that is done at a site in one step, in order: gates are read, then batches act."""

    gates: list[GateBatch] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)


@dataclass(frozen=True)
class StepWork:
    """``gates``: how many gates are read in the step."""

    sites: dict[Site, SiteWork]
    gates: int


def build(marks: Sequence[Mark], device_of: DeviceOf) -> StepWork:
    """The work of a step."""
    batches: dict[tuple[Site, Kind], _Columns] = defaultdict(_Columns)
    gates: dict[tuple[Site, GateKind], _GateColumns] = defaultdict(_GateColumns)
    count = 0
    for mark in marks:
        active = mark.active
        for entry in active.entries:
            batches[entry.site, _kind(active, entry)].extend(entry, mark, count)
        gate = active.planned.gate
        if active.gate is not None and gate is not None:
            gates[gate.site, _gate_kind(gate)].extend(active, gate, mark, count)
            count += _acted(mark)
    sites: dict[Site, SiteWork] = defaultdict(SiteWork)
    for site, kind in sorted(batches):
        columns = batches[site, kind]
        if columns.tokens:
            sites[site].batches.append(columns.batch(kind, device_of(site)))
    for site, gate_kind in sorted(gates):
        made = gates[site, gate_kind].batch(gate_kind, device_of(site))
        sites[site].gates.append(made)
    return StepWork(dict(sites), count)


def _first(tokens: Sequence[int]) -> int | None:
    """The first of tokens that follow each other."""
    begin = tokens[0]
    return begin if all(token == begin + i for i, token in enumerate(tokens)) else None


def _acted(mark: Mark) -> int:
    return sum(1 for multiplier in mark.multipliers if multiplier)


def _kind(active: Active, entry: Entry) -> Kind:
    planned = active.planned
    how, chooser = _coding(entry.edit.dictionary)
    gated = active.gate is not None
    return Kind(entry.turn, planned.op, planned.keep_norm, gated, how, chooser)


def _gate_kind(gate: PlannedGate) -> GateKind:
    return GateKind(gate.reading, *_coding(gate.dictionary))


def _coding(dictionary: Dictionary | None) -> tuple[str, str]:
    if dictionary is None:
        return "none", ""
    spec = dictionary.spec
    return spec.normalize.value, dictionary.content_hash if spec.k is not None else ""


def _places(mark: Mark) -> Iterator[tuple[int, float]]:
    return ((place, given) for place, given in enumerate(mark.multipliers) if given)


@dataclass
class _Columns:
    """Columns of a batch while it is collected."""

    dictionary: Dictionary | None = None
    tokens: list[int] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    gates: list[int] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    rows: list[tuple[int, ...]] = field(default_factory=list)
    params: list[tuple[float, ...]] = field(default_factory=list)
    latents: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)

    def extend(self, entry: Entry, mark: Mark, first_gate: int) -> None:
        edit = entry.edit
        self.dictionary = edit.dictionary
        components = range(len(edit.components))
        for number, (place, multiplier) in enumerate(_places(mark)):
            if edit.positions is not None:
                first = edit.component_at.get(mark.start + place)
                if first is None:
                    continue
                components = range(first, first + 1)
            owner = len(self.tokens)
            self.tokens.append(mark.offset + place)
            self.changes.append(entry.change)
            self.gates.append(first_gate + number)
            for index in components:
                scale, *rest = edit.components[index].params
                self.owner.append(owner)
                self.rows.append(entry.rows[index])
                self.params.append((scale * multiplier, *rest))
            self.latents += edit.latents
            self.before += (meters[0] for meters in entry.latents)
            self.after += (meters[1] for meters in entry.latents)

    def batch(self, kind: Kind, device: torch.device) -> Batch:
        def column(values: Sequence[object]) -> Tensor:
            return torch.tensor(values, device=device, dtype=torch.long)

        single = len(self.owner) == len(self.tokens)
        return Batch(
            kind=kind,
            dictionary=self.dictionary,
            tokens=column(self.tokens),
            changes=column(self.changes),
            gates=column(self.gates) if kind.gated else None,
            owner=None if single else column(self.owner),
            rows=column(self.rows),
            params=torch.tensor(self.params, device=device, dtype=torch.float32),
            latents=column(self.latents),
            before=column(self.before),
            after=column(self.after),
            ones=torch.ones(len(self.tokens), device=device),
            first=_first(self.tokens),
        )


@dataclass
class _GateColumns:
    """Columns of a gate batch while it is collected."""

    dictionary: Dictionary | None = None
    tokens: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    numbers: list[tuple[int, int, int, int]] = field(default_factory=list)
    params: list[tuple[float, ...]] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    flags: list[tuple[bool, bool]] = field(default_factory=list)

    def extend(self, active: Active, gate: PlannedGate, mark: Mark, first: int) -> None:
        entry = active.gate
        assert entry is not None
        self.dictionary = gate.dictionary
        for number, (place, _) in enumerate(_places(mark)):
            self.tokens.append(mark.offset + place)
            self.places.append(first + number)
            self.numbers.append((entry.row, gate.latent, entry.reading, entry.opened))
            self.params.append(gate.params)
            self.threshold.append(gate.threshold)
            self.flags.append((gate.below, gate.absolute))

    def batch(self, kind: GateKind, device: torch.device) -> GateBatch:
        rows, latents, readings, opened = torch.tensor(self.numbers, device=device).unbind(-1)
        below, absolute = torch.tensor(self.flags, device=device).unbind(-1)
        return GateBatch(
            kind=kind,
            dictionary=self.dictionary,
            tokens=torch.tensor(self.tokens, device=device),
            places=torch.tensor(self.places, device=device),
            rows=rows[:, None],
            params=torch.tensor(self.params, device=device, dtype=torch.float32),
            latents=latents,
            threshold=torch.tensor(self.threshold, device=device, dtype=torch.float32),
            below=below,
            absolute=absolute,
            readings=readings,
            opened=opened,
        )
