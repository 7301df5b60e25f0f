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

    def acquire(self, key: str, direction: NDArray[np.float32]) -> int:
        """The row that holds ``direction``; ``key`` identifies its content."""
        if key not in self._row:
            row = self._take()
            self.directions[row] = torch.from_numpy(direction).to(self.directions.device)
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
    """Sums on the device, one for each receipt, read only when a row ends."""

    def __init__(self, device: torch.device, entries: int = 256) -> None:
        self.sums: Tensor = torch.zeros(entries, device=device)
        self._free = list(reversed(range(entries)))

    def open(self) -> int:
        """A new entry, at zero."""
        if not self._free:
            entries = self.sums.shape[0]
            self.sums = torch.cat([self.sums, torch.zeros_like(self.sums)])
            self._free = list(reversed(range(entries, 2 * entries)))
        return self._free.pop()

    def close(self, entries: list[int]) -> list[float]:
        """The sums of some entries, which are given back."""
        index = torch.tensor(entries, device=self.sums.device)
        sums: list[float] = self.sums.index_select(0, index).tolist()
        self.sums.index_fill_(0, index, 0.0)
        self._free += entries
        return sums
