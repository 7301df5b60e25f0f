"""How many CPU threads a step is worth."""

import torch

WORK_PER_THREAD = 1.2e9
"""Multiply-adds of a step that keep one thread busy. Below that, threads cost more in waiting for
each other between hundreds of small products than they save, and the cores are better left to the
rest of the server. Set by `python -m bench`: SmolLM2-135M runs 8 rows faster on one thread than on
two, 32 rows on two."""


class Threads:
    """Sets torch's threads, on the calling thread alone, to suit a step.

    A rule rather than a measurement at start, so that two servers with the same settings compute
    the same bits.
    """

    def __init__(self, parameters: int, device: torch.device) -> None:
        self._parameters = parameters
        self._most = torch.get_num_threads() if device.type == "cpu" else 1
        self._now = 0

    def suit(self, tokens: int) -> None:
        """Prepare for a step of ``tokens`` tokens."""
        self._set(min(self._most, 1 + int(self._parameters * tokens / WORK_PER_THREAD)))

    def all(self) -> None:
        """Prepare for a whole batch."""
        self._set(self._most)

    def _set(self, wanted: int) -> None:
        if self._most > 1 and wanted != self._now:
            torch.set_num_threads(wanted)
            self._now = wanted
