"""Interventions on the device: which rows of the bank act on which tokens of a step, and the
hooks that apply them.

The work at a site is one gather from the bank and one op for each *kind* of op in use there,
however many different vectors, strengths and rows take part.
"""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel

from steer.intervene import sites
from steer.intervene.bank import Bank, Ledger
from steer.intervene.operands import Array
from steer.intervene.ops import OPS, keep_norm
from steer.intervene.plan import Edit, PlannedIntervention
from steer.intervene.where import Cursor
from steer.types import Receipt, Site


@dataclass(frozen=True, slots=True)
class Entry:
    """One edit of one row: its bank row, its ledger entry, and its turn among the row's edits
    at that site."""

    site: Site
    turn: int
    op: str
    keep_norm: bool
    key: str
    bank_row: int
    params: tuple[float, ...]
    receipt: int


@dataclass
class Active:
    """One intervention at work in one row."""

    planned: PlannedIntervention
    cursor: Cursor
    entries: tuple[Entry, ...]
    tokens: int = 0
    inherited: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens of one row in this step: where they stand in the flat batch, their positions."""

    active: Sequence[Active]
    offset: int
    start: int
    tokens: Sequence[int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything of one kind at one site in one step. ``params`` (n, k); the others (n,)."""

    op: str
    keep_norm: bool
    tokens: Tensor
    bank_rows: Tensor
    params: Tensor
    receipts: Tensor


class Steering:
    """Bank, ledger and hooks of one network. Used from the engine thread alone."""

    def __init__(self, network: PreTrainedModel, d_model: int, special: Set[int]) -> None:
        self._network, self._d_model, self._special = network, d_model, special
        self._banks: dict[torch.device, Bank] = {}
        self._ledgers: dict[torch.device, Ledger] = {}
        self._hooks: dict[Site, RemovableHandle] = {}
        self._batches: dict[Site, list[Batch]] = {}
        self._signature: tuple[object, ...] | None = None

    def attach(
        self, planned: Sequence[PlannedIntervention], prompt_length: int
    ) -> tuple[Active, ...]:
        """Put interventions to work for a row with a prompt of ``prompt_length`` tokens."""
        turns: dict[Site, int] = defaultdict(int)
        active = []
        for item in planned:
            entries = []
            for edit in item.edits:
                entries.append(self._entry(item, edit, turns[edit.site]))
                turns[edit.site] += 1
            cursor = Cursor(item.where, prompt_length, self._special)
            active.append(Active(item, cursor, tuple(entries)))
        return tuple(active)

    def detach(self, active: Sequence[Active]) -> tuple[Receipt, ...]:
        """Take interventions off their row; says what they did."""
        self._signature = None  # it holds ids of objects that may now go away
        receipts = []
        for index, item in enumerate(active):
            for entry, total in zip(item.entries, self._totals(item), strict=True):
                self._bank(entry.site).release(entry.key)
                receipts.append(_receipt(index, item, entry, total))
        return tuple(receipts)

    def inherit(self, child: Sequence[Active], parent: Sequence[Active]) -> None:
        """Credit ``child`` with what its prefix's interventions did, matched by content."""
        done = {item.planned.key: item for item in parent}
        for item in child:
            source = done.get(item.planned.key)
            if source is not None:
                item.tokens = source.tokens
                item.inherited = [
                    float(self._ledger(e.site).sums[e.receipt]) for e in source.entries
                ]

    def select(self, work: Sequence[Work]) -> None:
        """Decide what acts on which tokens of the coming step."""
        marks = [
            (item, part.offset, tuple(item.cursor.take(part.start, part.tokens)))
            for part in work
            for item in part.active
        ]
        marks = [mark for mark in marks if any(mark[2])]
        for item, _, multipliers in marks:
            item.tokens += sum(1 for multiplier in multipliers if multiplier)
        signature = tuple((id(item), offset, given) for item, offset, given in marks)
        if signature != self._signature:
            self._signature = signature
            self._batches = self._build(marks)

    def _build(
        self, marks: Sequence[tuple[Active, int, tuple[float, ...]]]
    ) -> dict[Site, list[Batch]]:
        collected: dict[tuple[Site, int, str, bool], _Columns] = defaultdict(_Columns)
        for item, offset, multipliers in marks:
            for entry in item.entries:
                kind = (entry.site, entry.turn, entry.op, entry.keep_norm)
                collected[kind].extend(entry, offset, multipliers)
        batches: dict[Site, list[Batch]] = defaultdict(list)
        for site, turn, op, keep in sorted(collected):
            columns, device = collected[site, turn, op, keep], self._device(site)
            batches[site].append(columns.batch(op, keep, device))
        return batches

    def _apply(self, site: Site, hidden: Tensor) -> None:
        flat = hidden.view(-1, hidden.shape[-1])
        for batch in self._batches.get(site, ()):
            before = flat.index_select(0, batch.tokens).float()
            directions = self._bank(site).directions.index_select(0, batch.bank_rows)
            after = OPS[batch.op].apply(before, directions, batch.params)
            if batch.keep_norm:
                after = keep_norm(before, after)
            written = after.to(flat.dtype)
            flat.index_copy_(0, batch.tokens, written)
            self._note(site, batch, before, written)

    def _note(self, site: Site, batch: Batch, before: Tensor, written: Tensor) -> None:
        # Of what was written, not of what was meant: rounding can swallow a small change.
        norm = torch.linalg.vector_norm
        change = norm(written.float() - before, dim=-1)
        relative = change / norm(before, dim=-1).clamp_min(torch.finfo(torch.float32).tiny)
        self._ledger(site).sums.index_add_(0, batch.receipts, relative)

    def _entry(self, item: PlannedIntervention, edit: Edit, turn: int) -> Entry:
        self._hook(edit.site)
        unit = OPS[item.op].unit
        key = f"{item.content_hash}/{edit.site}/{unit}"
        direction = _unit(edit.direction) if unit else edit.direction
        return Entry(
            site=edit.site,
            turn=turn,
            op=item.op,
            keep_norm=item.keep_norm,
            key=key,
            bank_row=self._bank(edit.site).acquire(key, direction),
            params=edit.params,
            receipt=self._ledger(edit.site).open(),
        )

    def _totals(self, item: Active) -> list[float]:
        by_device: dict[torch.device, list[int]] = defaultdict(list)
        for place, entry in enumerate(item.entries):
            by_device[self._device(entry.site)].append(place)
        totals = item.inherited or [0.0] * len(item.entries)
        for device, places in by_device.items():
            sums = self._ledgers[device].close([item.entries[place].receipt for place in places])
            for place, total in zip(places, sums, strict=True):
                totals[place] += total
        return totals

    def _hook(self, site: Site) -> None:
        if site not in self._hooks:

            def visit(hidden: Tensor) -> None:
                self._apply(site, hidden)

            self._hooks[site] = sites.on_visit(self._network, site, visit)

    def _device(self, site: Site) -> torch.device:
        return next(sites.blocks(self._network)[site.layer].parameters()).device

    def _bank(self, site: Site) -> Bank:
        device = self._device(site)
        if device not in self._banks:
            self._banks[device] = Bank(self._d_model, device)
        return self._banks[device]

    def _ledger(self, site: Site) -> Ledger:
        device = self._device(site)
        if device not in self._ledgers:
            self._ledgers[device] = Ledger(device)
        return self._ledgers[device]


@dataclass
class _Columns:
    """Columns of a batch while it is collected."""

    tokens: list[int] = field(default_factory=list)
    bank_rows: list[int] = field(default_factory=list)
    params: list[tuple[float, ...]] = field(default_factory=list)
    receipts: list[int] = field(default_factory=list)

    def extend(self, entry: Entry, offset: int, multipliers: Sequence[float]) -> None:
        scale, *rest = entry.params
        for place, multiplier in enumerate(multipliers):
            if multiplier:
                self.tokens.append(offset + place)
                self.bank_rows.append(entry.bank_row)
                self.params.append((scale * multiplier, *rest))
                self.receipts.append(entry.receipt)

    def batch(self, op: str, keep: bool, device: torch.device) -> Batch:
        return Batch(
            op,
            keep,
            torch.tensor(self.tokens, device=device),
            torch.tensor(self.bank_rows, device=device),
            torch.tensor(self.params, device=device, dtype=torch.float32),
            torch.tensor(self.receipts, device=device),
        )


def _receipt(index: int, item: Active, entry: Entry, total: float) -> Receipt:
    return Receipt(
        intervention=index,
        op=entry.op,
        operand=item.planned.operand,
        content_hash=item.planned.content_hash,
        site=entry.site,
        coefficient=entry.params[0],
        tokens=item.tokens,
        mean_change=total / item.tokens if item.tokens else 0.0,
    )


def _unit(direction: Array) -> Array:
    wide = direction.astype("float64")
    unit: Array = (wide / (wide @ wide) ** 0.5).astype("float32")
    return unit
