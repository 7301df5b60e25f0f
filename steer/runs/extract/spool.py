"""What was read, on disk: beside the runs of a local store, so that a run that was killed need not
read it again, and so that no more than one site of it has to be in memory at once."""

import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steer.runs.extract.layout import Layout, Piece
from steer.store import Store
from steer.store.files import LocalFiles, open_files
from steer.store.overlay import user_folder
from steer.store.writable import writing

PLACE = ".runs/extract"
ABANDONED = 7 * 24 * 3600.0
"""Seconds after which what nobody came back for is removed."""

Floats = NDArray[np.float64]
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Gathered:
    """A piece that was read. ``sums``: of rows, (sites, class, half, d_model), the positive class
    first; ``counts``: how many, (class, half); ``rows``: those kept, (sites, rows, d_model), on
    disk."""

    sums: Floats
    counts: NDArray[np.int64]
    rows: Array


class Spool:
    """``key``: what is equal for extractions that read the same. ``sites`` and ``width`` (d_model):
    of what is read."""

    def __init__(self, store: Store, key: str, sites: int, width: int) -> None:
        files = open_files(store.root)
        root = files.root if isinstance(files, LocalFiles) else user_folder()
        self._folder = root / PLACE / key
        self._sites, self._width = sites, width

    def open(self) -> None:
        """Make room; what was abandoned goes. Raises FailedPrecondition where nothing can be
        written."""
        with writing("what is read can not be kept", self._folder.parent):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.touch()
            for other in self._folder.parent.iterdir():
                with suppress(FileNotFoundError):  # whoever it was has come back, and is done
                    if time.time() - other.stat().st_mtime > ABANDONED:
                        shutil.rmtree(other, ignore_errors=True)

    def has(self, piece: Piece) -> bool:
        """Whether a piece was read."""
        return self._place(piece).is_dir()

    def write(self, piece: Piece, layout: Layout) -> "Writer":
        """Begin with a piece."""
        part = self._folder / f".{piece.number}-{secrets.token_hex(4)}"
        return Writer(piece, layout, part, self._place(piece), (self._sites, self._width))

    def read(self, piece: Piece) -> Gathered:
        """A piece that was read."""
        place = self._place(piece)
        rows = np.load(place / "rows.npy", mmap_mode="r" if piece.rows else None)
        return Gathered(np.load(place / "sums.npy"), np.load(place / "counts.npy"), rows)

    def remove(self) -> None:
        """All of it is needed no more."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _place(self, piece: Piece) -> Path:
        return self._folder / str(piece.number)


class Writer:
    """Writes a piece. Texts may come in any order; they are summed in their own, so that the sums
    are the same to the last bit."""

    def __init__(
        self, piece: Piece, layout: Layout, part: Path, place: Path, shape: tuple[int, int]
    ) -> None:
        self._piece, self._half, self._part, self._place = piece, layout.half, part, place
        part.mkdir(parents=True)
        sites, width = shape
        self._sums = np.zeros((sites, 2, 2, width))
        self._counts = np.zeros((2, 2), np.int64)
        self._rows = _rows(part / "rows.npy", (sites, piece.rows, width))
        self._early: dict[int, Floats] = {}
        self._next = 0
        self._offsets = _offsets(piece)

    def add(self, place: int, rows: Floats) -> bool:
        """Rows (sites, groups, d_model) of the text at a place of the piece; whether it was the
        last."""
        if self._piece.kept[place]:
            begin = self._offsets[place]
            self._rows[:, begin : begin + rows.shape[1]] = rows
        self._early[place] = rows.sum(1)
        while self._next in self._early:
            self._sum(self._early.pop(self._next))
        return self._next == len(self._piece.examples)

    def seal(self) -> None:
        """All texts are there."""
        np.save(self._part / "sums.npy", self._sums)
        np.save(self._part / "counts.npy", self._counts)
        if isinstance(self._rows, np.memmap):
            self._rows.flush()
        try:
            self._part.rename(self._place)
        except OSError:  # another run that reads the same was first
            shutil.rmtree(self._part, ignore_errors=True)

    def _sum(self, total: Floats) -> None:
        one = self._piece.examples[self._next]
        at = (0 if one.positive else 1, self._half[one.index])
        self._sums[:, at[0], at[1]] += total
        self._counts[at] += len(one.groups)
        self._next += 1


def _rows(path: Path, shape: tuple[int, int, int]) -> Array:
    if shape[1]:
        return np.lib.format.open_memmap(path, "w+", np.float32, shape)
    empty = np.zeros(shape, np.float32)
    np.save(path, empty)
    return empty


def _offsets(piece: Piece) -> Sequence[int]:
    """Where the rows of each text begin among those that are kept."""
    offsets, count = [], 0
    for one, kept in zip(piece.examples, piece.kept, strict=True):
        offsets.append(count)
        count += len(one.groups) if kept else 0
    return offsets
