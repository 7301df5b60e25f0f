"""Interventions on the device: what rows hold, what acts in a step, and the hooks that apply it.

The work at a site is one gather from the bank and one op for each *kind* of op in use there,
however many different vectors, strengths and rows take part.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from steer.engine.embedded.batches import StepWork, build
from steer.engine.embedded.capture import Capturing
from steer.engine.embedded.cursors import Cursors
from steer.engine.embedded.encoders import Encoders
from steer.engine.embedded.entries import Active, Entry, GateEntry, Mark, receipts
from steer.engine.embedded.sitework import Desk, apply
from steer.intervene import sites
from steer.intervene.bank import Bank, Ledger
from steer.intervene.hooks import Handle
from steer.intervene.operands import Array
from steer.intervene.plan import Edit, PlannedIntervention
from steer.types import GateScope, Receipt, Site


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens of one row in this step: where they stand in the flat batch, their positions."""

    active: Sequence[Active]
    offset: int
    start: int
    tokens: Sequence[int]


class Steering:
    """Desks and hooks of one network. Used from the engine thread alone."""

    def __init__(self, network: PreTrainedModel, d_model: int) -> None:
        self._network, self._d_model = network, d_model
        self._devices = [_device_of(block) for block in sites.blocks(network)]
        self._desks: dict[torch.device, Desk] = {}
        self._hooks: dict[Site, Handle] = {}
        self._work = StepWork({}, 0)
        self._opened = torch.zeros(0, dtype=torch.bool)
        self._signature: tuple[object, ...] | None = None
        self.capturing = Capturing(self.encoders)

    def attach(
        self, planned: Sequence[PlannedIntervention], cursors: Cursors
    ) -> tuple[Active, ...]:
        """Put interventions to work for a row. Where that fails nothing is held of them."""
        turns: dict[Site, int] = defaultdict(int)
        active = []
        with ExitStack() as undo:
            for item in planned:
                entries = []
                for edit in item.edits:
                    entries.append(self._entry(edit, turns[edit.site], undo))
                    turns[edit.site] += 1
                cursor = cursors.make(item.where)
                active.append(Active(item, cursor, tuple(entries), self._gate(item, undo)))
            undo.pop_all()
        return tuple(active)

    def detach(self, active: Sequence[Active]) -> tuple[Receipt, ...]:
        """Take interventions off their row; says what they did."""
        self._signature = None  # it holds ids of objects that may now go away
        made = receipts(active, lambda site, meters: self._desk(site).ledger.close(meters))
        for item in active:
            for entry in item.entries:
                for key in entry.keys:
                    self._desk(entry.site).bank.release(key)
            if item.gate is not None and item.planned.gate is not None:
                self._desk(item.planned.gate.site).bank.release(item.gate.key)
        return made

    def inherit(self, child: Sequence[Active], parent: Sequence[Active]) -> None:
        """Credit ``child`` with what its prefix's interventions did."""
        early = [item for item in child if item.planned.on_prompt]
        for item, source in zip(early, parent, strict=True):
            for mine, given in zip(item.entries, source.entries, strict=True):
                self._desk(mine.site).ledger.copy(given.meters, mine.meters)
            gate = item.planned.gate
            if gate is not None and item.gate is not None and source.gate is not None:
                self._desk(gate.site).ledger.copy(source.gate.meters, item.gate.meters)

    def select(self, work: Sequence[Work]) -> None:
        """Decide what acts on which tokens of the coming step."""
        for desk in self._desks.values():
            # Of a pass that failed: its meters may be another row's by now.
            desk.ledger.forget()
        marks = [
            Mark(item, part.offset, part.start, tuple(given))
            for part in work
            for item in part.active
            if not item.planned.closed and any(given := item.cursor.take(part.start, part.tokens))
        ]
        signature = tuple(
            (id(mark.active), mark.offset, mark.multipliers, mark.start * mark.active.positional)
            for mark in marks
        )
        if signature != self._signature:
            self._signature = signature
            self._work = build(marks, self._device)
            self._opened = torch.zeros(self._work.gates, dtype=torch.bool, device=self._first)

    def settle(self) -> None:
        """After a pass: do what was noted in it."""
        for desk in self._desks.values():
            desk.ledger.settle()

    def rest(self) -> None:
        """Do nothing in the coming pass: what acted in the last step would act there too."""
        self.select(())
        self.capturing.select(())

    def encoders(self, site: Site) -> Encoders:
        """Whole encoders on the device of a site."""
        return self._desk(site).encoders

    def watch(self, sites: Iterable[Site]) -> None:
        """Make sure that ``capturing`` comes by these sites."""
        for site in sites:
            self._hook(site)

    def _visit(self, site: Site, hidden: Tensor) -> None:
        flat = hidden.view(-1, hidden.shape[-1])
        work = self._work.sites.get(site)
        if work is not None:
            apply(flat, work, self._desk(site), self._opened)
        self.capturing.read(site, flat)

    def _entry(self, edit: Edit, turn: int, undo: ExitStack) -> Entry:
        self._hook(edit.site)
        desk = self._desk(edit.site)
        keys, rows = [], []
        for component in edit.components:
            own = [f"{component.key}/{place}" for place in range(len(component.rows))]
            pairs = zip(own, component.rows, strict=True)
            rows.append(tuple(_acquired(desk, key, row, undo) for key, row in pairs))
            keys += own
        return Entry(
            edit=edit,
            turn=turn,
            keys=tuple(keys),
            rows=tuple(rows),
            change=_opened(desk, undo),
            latents=tuple((_opened(desk, undo), _opened(desk, undo)) for _ in edit.latents),
        )

    def _gate(self, item: PlannedIntervention, undo: ExitStack) -> GateEntry | None:
        gate = item.gate
        if gate is None or gate.scope is not GateScope.TOKEN:
            return None
        self._hook(gate.site)
        desk = self._desk(gate.site)
        row = _acquired(desk, gate.key, gate.row, undo)
        return GateEntry(gate.key, row, _opened(desk, undo), _opened(desk, undo))

    def _hook(self, site: Site) -> None:
        if site not in self._hooks:

            def visit(hidden: Tensor) -> None:
                self._visit(site, hidden)

            self._hooks[site] = sites.on_visit(self._network, site, visit)

    @property
    def _first(self) -> torch.device:
        return self._device(Site(0))

    def _device(self, site: Site) -> torch.device:
        return self._devices[site.layer]

    def _desk(self, site: Site) -> Desk:
        device = self._device(site)
        if device not in self._desks:
            self._desks[device] = Desk(
                Bank(self._d_model, device), Ledger(device), Encoders(device)
            )
        return self._desks[device]


def _acquired(desk: Desk, key: str, direction: Array, undo: ExitStack) -> int:
    row = desk.bank.acquire(key, direction)
    undo.callback(desk.bank.release, key)
    return row


def _opened(desk: Desk, undo: ExitStack) -> int:
    meter = desk.ledger.open()
    undo.callback(desk.ledger.close, [meter])
    return meter


def _device_of(block: nn.Module) -> torch.device:
    # Packed layers, which only the CPU has, are all that a block whose norms have no weights holds.
    return next((weight.device for weight in block.parameters()), torch.device("cpu"))
