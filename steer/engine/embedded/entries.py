"""Interventions at work in rows: what the device holds for each of them, and their receipts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from steer.intervene.plan import Edit, PlannedIntervention
from steer.intervene.where import Cursor
from steer.types import FeatureReceipt, GateReceipt, Receipt, Site

Close = Callable[[Site, list[int]], list[tuple[float, int]]]
"""Sums and counts of meters on the ledger of a site's device, which are given back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One edit of one row. ``turn``: its turn among the row's edits at that site. ``rows``: of the
    bank, for each component. ``meters``: one for the change; two for each latent, the activation
    before and after."""

    edit: Edit
    turn: int
    keys: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    change: int
    latents: tuple[tuple[int, int], ...]

    @property
    def site(self) -> Site:
        """Where."""
        return self.edit.site

    @property
    def meters(self) -> list[int]:
        """All its meters, in a fixed order."""
        return [self.change, *(meter for pair in self.latents for meter in pair)]


@dataclass(frozen=True, slots=True)
class GateEntry:
    """The gate of one row that is read at every token. ``reading`` and ``opened``: its meters."""

    key: str
    row: int
    reading: int
    opened: int

    @property
    def meters(self) -> list[int]:
        """Both meters."""
        return [self.reading, self.opened]


@dataclass(eq=False)
class Active:
    """One intervention at work in one row."""

    planned: PlannedIntervention
    cursor: Cursor
    entries: tuple[Entry, ...]
    gate: GateEntry | None

    @property
    def positional(self) -> bool:
        """Whether what it does depends on the position, not on the token alone."""
        return any(entry.edit.positions is not None for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where one intervention acts in the coming step: place ``offset`` of the flat batch holds
    position ``start`` of its row; one multiplier for each token from there."""

    active: Active
    offset: int
    start: int
    multipliers: tuple[float, ...]


def receipts(active: Sequence[Active], close: Close) -> tuple[Receipt, ...]:
    """What interventions did, read off their meters."""
    return tuple(
        _receipt(index, item, entry, gate, close(entry.site, entry.meters))
        for index, item in enumerate(active)
        for gate in (_gate_receipt(item, close),)
        for entry in item.entries
    )


def _receipt(
    index: int,
    item: Active,
    entry: Entry,
    gate: GateReceipt | None,
    totals: Sequence[tuple[float, int]],
) -> Receipt:
    change, *latents = totals
    pairs = zip(entry.edit.latents, latents[::2], latents[1::2], strict=True)
    return Receipt(
        intervention=index,
        op=item.planned.op,
        operand=item.planned.operand,
        content_hash=item.planned.content_hash,
        site=entry.site,
        coefficient=entry.edit.coefficient,
        tokens=change[1],
        mean_change=_mean(change),
        gate=gate,
        features=tuple(
            FeatureReceipt(latent, _mean(before), _mean(after)) for latent, before, after in pairs
        ),
    )


def _gate_receipt(item: Active, close: Close) -> GateReceipt | None:
    gate = item.planned.gate
    if gate is None:
        return None
    if gate.decision is not None:
        return GateReceipt(1, int(gate.decision.open), gate.decision.reading)
    assert item.gate is not None
    reading, opened = close(gate.site, item.gate.meters)
    return GateReceipt(reading[1], opened[1], _mean(reading))


def _mean(total: tuple[float, int]) -> float:
    return total[0] / total[1] if total[1] else 0.0
