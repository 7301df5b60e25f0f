"""Says that a run is alive while it is executed, and hears that it is to stop."""

import logging
import threading
from enum import Enum, auto
from types import TracebackType

from steer.runs.claim import Claim, Lost
from steer.runs.faults import DatabaseProblem

log = logging.getLogger("steer.runs")


class Stop(Enum):
    """Why a run was stopped from outside."""

    CANCELLED = auto()
    LOST = auto()


class Heart:
    """Beats in a thread of its own while the ``with`` lasts, every ``seconds``. When the run is
    cancelled or lost, ``stop`` is set and ``reason`` says why."""

    def __init__(self, claim: Claim, seconds: float, stop: threading.Event) -> None:
        self._claim, self._seconds, self._stop = claim, seconds, stop
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="steer-heart")
        self.reason: Stop | None = None

    def __enter__(self) -> "Heart":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while self.reason is None and not self._ended.is_set():
            self.reason = self._beat()
            if self.reason is not None:
                self._stop.set()
            self._ended.wait(self._seconds)

    def _beat(self) -> Stop | None:
        try:
            return Stop.CANCELLED if self._claim.beat() else None
        except Lost:
            return Stop.LOST
        except DatabaseProblem as error:
            # What the run stores next meets the same trouble, and deals with it.
            log.warning("run %s: %s", self._claim.run_id, error.message)
            return None
