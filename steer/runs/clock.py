"""The time of day, for people; nothing is decided by it."""

import time


def now() -> float:
    """Seconds since the epoch, to the microsecond: what a database and a message both keep."""
    return round(time.time(), 6)
