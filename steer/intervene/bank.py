"""Directions on the device: one matrix, rows shared by content, gathered by index."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Bank:
    """Float32 directions, (rows, d_model). The same content takes one row, however many use it.

    Released rows keep their content until the space is needed, so that a vector used by call
    after call is uploaded once.
    """

    def __init__(self, d_model: int, device: torch.device, rows: int = 64) -> None:
        self.directions = torch.zeros(rows, d_model, device=device)
        self._row: dict[str, int] = {}
        self._uses: dict[str, int] = {}
        self._idle: dict[str, None] = {}
        self._free = list(reversed(range(rows)))

    def gather(self, rows: Tensor) -> Tensor:
        """Directions (n, r, d_model) of rows (n, r)."""
        found = self.directions.index_select(0, rows.reshape(-1))
        return found.view(*rows.shape, -1)

    def acquire(self, key: str, direction: NDArray[np.float32]) -> int:
        """The row that holds ``direction``; ``key`` identifies its content."""
        if key not in self._row:
            # First what can fail: on a device that is full nothing is taken.
            content = torch.tensor(direction, device=self.directions.device)
            row = self._take()
            self.directions[row] = content
            self._row[key] = row
        self._idle.pop(key, None)
        self._uses[key] = self._uses.get(key, 0) + 1
        return self._row[key]

    def release(self, key: str) -> None:
        """Give back one use of ``key``."""
        self._uses[key] -= 1
        if not self._uses[key]:
            del self._uses[key]
            self._idle[key] = None

    def _take(self) -> int:
        if not self._free and self._idle:
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            self._free.append(self._row.pop(oldest))
        if not self._free:
            self._grow()
        return self._free.pop()

    def _grow(self) -> None:
        rows = self.directions.shape[0]
        self.directions = torch.cat([self.directions, torch.zeros_like(self.directions)])
        self._free = list(reversed(range(rows, 2 * rows)))


class Ledger:
    """Sums and counts on the device, one pair for each meter, read only when a row ends."""

    def __init__(self, device: torch.device, meters: int = 256) -> None:
        self._pairs = torch.zeros(meters, 2, device=device)
        self._noted: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        self._free = list(reversed(range(meters)))

    def open(self) -> int:
        """A new meter, at zero."""
        if not self._free:
            meters = self._pairs.shape[0]
            self._pairs = torch.cat([self._pairs, torch.zeros_like(self._pairs)])
            self._free = list(reversed(range(meters, 2 * meters)))
        return self._free.pop()

    def note(self, meters: Tensor, values: Tensor, over: Tensor, counted: Tensor) -> None:
        """Add ``values / over`` to the sums of ``meters`` and ``counted`` (1 or 0) to their counts.
        All (n,). What is not counted is not summed either. Nothing is done before ``settle``."""
        self._noted.append((meters, values, over, counted))

    def forget(self) -> None:
        """Drop what was noted and not settled."""
        self._noted.clear()

    def settle(self) -> None:
        """Do what was noted, in one go: a step notes something at every site."""
        if self._noted:
            meters, values, over, counted = (
                torch.cat(column) for column in zip(*self._noted, strict=True)
            )
            self._noted.clear()
            # Of nothing, no fraction: an activation that was zero counts, with 0.
            values = torch.where((counted > 0) & (over > 0), values / over, 0.0)
            self._pairs.index_add_(0, meters, torch.stack([values, counted], -1))

    def copy(self, sources: list[int], targets: list[int]) -> None:
        """Give some meters the state of others."""
        index = torch.tensor([sources, targets], device=self._pairs.device)
        self._pairs.index_copy_(0, index[1], self._pairs.index_select(0, index[0]))

    def close(self, meters: list[int]) -> list[tuple[float, int]]:
        """Sum and count of some meters, which are given back."""
        if not meters:
            return []
        index = torch.tensor(meters, device=self._pairs.device)
        pairs = self._pairs.index_select(0, index).tolist()
        self._pairs.index_fill_(0, index, 0.0)
        self._free += meters
        return [(total, round(count)) for total, count in pairs]
