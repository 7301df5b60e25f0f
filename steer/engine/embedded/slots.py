"""Rows in slots: entering, forking from a shared prefix, leaving without holes."""

from collections.abc import Sequence

from steer.engine.embedded.kv import KV
from steer.engine.rows import Prefix, Row
from steer.engine.scheduler import Limits


class Slots:
    """Rows 0 … n-1 without holes, over one key-value rectangle."""

    def __init__(self, limits: Limits) -> None:
        self.kv = KV()
        self._limits = limits
        self._rows: list[Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def make_room(self, slots: int, positions: int) -> None:
        """Grow the rectangle to at least ``slots`` × ``positions``, within the limits."""
        if slots <= self.kv.slots and positions <= self.kv.positions:
            return
        spare = min(2 * slots, self._limits.kv_tokens // positions, self._limits.max_rows)
        self.kv.resize(max(slots, spare), positions, len(self._rows))

    def enter(self, row: Row) -> None:
        """Give a row the next slot."""
        row.slot = len(self._rows)
        self._rows.append(row)

    def fork(self, prefix: Prefix) -> None:
        """Give a computed prefix's keys and values to its children; the first takes its slot."""
        parent = prefix.row
        first, *others = prefix.children
        self._rows[parent.slot] = first
        first.slot, parent.slot = parent.slot, -1
        for place, child in enumerate(prefix.children):
            child.computed = parent.computed
            child.cached = parent.computed if place else 0
        self.copy(first, others)

    def copy(self, source: Row, rows: Sequence[Row]) -> None:
        """Enter rows with a copy of what ``source`` has computed."""
        for row in rows:
            self.enter(row)
            row.computed = source.computed
        self.kv.copy(source.slot, [row.slot for row in rows], source.computed)

    def leave(self, rows: Sequence[Row], wipe: bool = False) -> None:
        """Free slots, moving rows from the end into the holes.

        A slot that may hold non-finite values is zeroed when its row leaves or moves: 0 · NaN
        would reach the next row there. ``wipe``: zero these rows' slots in any case.
        """
        for row in sorted(rows, key=lambda row: row.slot, reverse=True):
            last = self._rows.pop()
            if wipe or row.suspect:
                self.kv.clear(row.slot)
            if last is not row:
                self.kv.copy(last.slot, [row.slot], last.computed)
                if last.suspect:
                    self.kv.clear(last.slot)
                self._rows[row.slot] = last
                last.slot = row.slot
            row.slot = -1
