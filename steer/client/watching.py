"""Following a run over streams that break off: where it goes on, and when it is given up."""

import time

from steer.client import run_calls
from steer.client.calls import Call
from steer.errors import BY_CODE, Cancelled, DeadlineExceeded, ServerError, SteerError, Unavailable
from steer.specs import Run, RunEvent, RunState

PATIENCE = 300.0
"""Seconds without a word of a server that was there before it is given up."""
_LONGEST = 600.0
"""Seconds of one stream, so that a connection nobody answers on is noticed."""
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)


class Watching:
    """One run that is followed. ``seconds``: for all of it; None has no end."""

    def __init__(self, run_id: str, after: int, results: bool, seconds: float | None) -> None:
        self._run_id, self._results = run_id, results
        self._sequence = after
        self._end = None if seconds is None else time.monotonic() + seconds
        self._heard: float | None = None
        self._failures = 0
        self.over = False

    def call(self) -> Call[RunEvent]:
        """The next stream."""
        return run_calls.watch(self._run_id, self._sequence, self._results)

    @property
    def seconds(self) -> float:
        """How long the next stream may take."""
        left = _LONGEST if self._end is None else self._end - time.monotonic()
        return max(0.0, min(left, _LONGEST))

    def saw(self, event: RunEvent) -> None:
        """Note an event."""
        self._sequence, self._heard, self._failures = event.sequence, time.monotonic(), 0
        # What came with results may not be all of them.
        self.over = event.run.state.final and event.sequence == event.run.sequence

    def pause(self, error: SteerError) -> float:
        """Seconds until the next stream after this one failed. Raises ``error`` when there is
        none: when nobody was there at all, nobody has been for long, or the time is up."""
        now = time.monotonic()
        late = self._end is not None and now >= self._end
        lost = self._heard is None or now - self._heard > PATIENCE
        if late or lost or not isinstance(error, Unavailable | DeadlineExceeded):
            raise error
        self._failures += 1
        return _PAUSES[min(self._failures, len(_PAUSES)) - 1]


def succeeded(run: Run) -> Run:
    """The run, which is over. Raises what it failed with, or Cancelled."""
    if run.state is RunState.CANCELLED:
        raise Cancelled(f"run {run.id} was cancelled", reason="RUN_CANCELLED")
    if run.failure is not None:
        kind = BY_CODE.get(run.failure.code, ServerError)
        raise kind(f"run {run.id} failed: {run.failure.message}", reason=run.failure.reason)
    return run
