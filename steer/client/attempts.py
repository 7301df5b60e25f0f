"""How long and how often one call is tried."""

import random
import time

from steer.errors import Overloaded, SteerError

MAX_ATTEMPTS = 6
_DEFAULT_PAUSE = 0.5


class Attempts:
    """The tries of one unary call within its timeout, in seconds. Only a full queue is retried."""

    def __init__(self, timeout: float) -> None:
        self._end = time.monotonic() + timeout
        self._left = MAX_ATTEMPTS

    def remaining(self) -> float:
        """Seconds until the timeout; at least 0."""
        return max(0.0, self._end - time.monotonic())

    def pause(self, error: SteerError) -> float:
        """Seconds to wait before the next try. Raises ``error`` when there will be none."""
        self._left -= 1
        if not isinstance(error, Overloaded) or self._left <= 0:
            raise error
        # A little more than asked for, or all who were turned away come back together.
        after = _DEFAULT_PAUSE if error.retry_after is None else error.retry_after
        pause = after * random.uniform(1.0, 1.25)
        if pause >= self.remaining():
            raise error
        return pause
