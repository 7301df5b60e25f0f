"""Following a run: where it goes on after a break, and when it is given up."""

import pytest

from steer.client import watching as module
from steer.client.watching import PATIENCE, Watching, succeeded
from steer.errors import (
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    NotFound,
    ServerError,
    Unavailable,
)
from steer.specs import Run, RunEvent, RunFailure, RunState

GONE = Unavailable("gone")


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def event(sequence: int, state: RunState = RunState.RUNNING, at: int | None = None) -> RunEvent:
    whole = sequence if at is None else at
    run = Run("r", "", "evaluate", state, "", "m", "f", 1.0, sequence=whole)
    return RunEvent(sequence, run)


def test_it_goes_on_behind_the_last_event(clock: Clock):
    watching = Watching("r", 3, True, None)
    request = watching.call().request
    assert (request.run_id, request.after_sequence, request.results) == ("r", 3, True)
    watching.saw(event(8))
    assert watching.pause(GONE) > 0
    assert watching.call().request.after_sequence == 8
    assert not watching.over


def test_it_is_over_when_all_of_a_run_that_is_over_was_seen(clock: Clock):
    watching = Watching("r", 0, True, None)
    watching.saw(event(5, RunState.SUCCEEDED, at=9))
    assert not watching.over
    watching.saw(event(9, RunState.SUCCEEDED))
    assert watching.over


def test_a_server_that_was_never_there_is_not_waited_for(clock: Clock):
    with pytest.raises(Unavailable):
        Watching("r", 0, False, None).pause(GONE)


def test_a_server_that_was_there_is_waited_for_a_while(clock: Clock):
    watching = Watching("r", 0, False, None)
    watching.saw(event(1))
    pauses = [watching.pause(GONE) for _ in range(8)]
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] <= 2
    clock.now += PATIENCE - 1
    watching.pause(GONE)
    clock.now += 2
    with pytest.raises(Unavailable):
        watching.pause(GONE)


def test_the_time_it_may_take(clock: Clock):
    watching = Watching("r", 0, False, 1000.0)
    assert watching.seconds == 600
    watching.saw(event(1))
    clock.now += 900
    watching.saw(event(2))
    assert watching.seconds == 100
    watching.pause(DeadlineExceeded("of one stream"))
    clock.now += 100
    assert watching.seconds == 0
    with pytest.raises(DeadlineExceeded):
        watching.pause(DeadlineExceeded("of all"))


def test_other_errors_end_it(clock: Clock):
    watching = Watching("r", 0, False, None)
    watching.saw(event(1))
    with pytest.raises(NotFound):
        watching.pause(NotFound("deleted"))


@pytest.mark.parametrize(
    ("code", "kind"),
    [("FAILED_PRECONDITION", FailedPrecondition), ("INTERNAL", ServerError), ("NEW", ServerError)],
)
def test_what_a_run_failed_with_is_raised(code: str, kind: type[Exception]):
    failure = RunFailure(code, "WHY", "what")
    run = Run("r", "", "evaluate", RunState.FAILED, "", "m", "f", 1.0, failure=failure)
    with pytest.raises(kind, match="run r failed: what") as caught:
        succeeded(run)
    assert caught.value.reason == "WHY"


def test_a_cancelled_run_is_an_error():
    with pytest.raises(Cancelled):
        succeeded(event(1, RunState.CANCELLED).run)
    assert succeeded(event(1, RunState.SUCCEEDED).run).id == "r"
