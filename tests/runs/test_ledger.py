"""Runs as they are asked for and executed: a model of them beside the tables, in any order."""

import threading
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.runs.claim import Claim, Claims, Lost
from steer.runs.database import Database
from steer.runs.kind import Unit
from steer.runs.ledger import Ledger
from steer.specs import RunFailure, RunState, UnitResult
from tests.runs.items import a_run

ASKED = "sha256:asked"
UNITS = [Unit(f"u{i}", {"i": i, "text": "Grüße 🙂 \x00"}) for i in range(3)]


def create(database: Database, run_id: str = "r", **more: object) -> Ledger:
    ledger = Ledger(database)
    ledger.create(a_run(run_id, **more), '{"spec": 1}', ASKED, ("v@sha256:1",))
    return ledger


def taken(database: Database, owner: str = "me") -> Claim:
    claims = Claims(database, owner)
    [seen] = claims.candidates()
    claim = claims.take(seen)
    assert claim is not None
    return claim


def test_a_run_from_its_creation_to_its_report(database: Database):
    ledger = create(database)
    assert ledger.get("r") == a_run("r")
    assert ledger.spec("r") == '{"spec": 1}'
    claim = taken(database)
    assert not claim.begun()
    claim.begin(UNITS)
    assert claim.begun()
    assert claim.pending() == UNITS
    claim.store(UNITS[2], {"x": "Grüße \ud800 \x00"})
    claim.store(UNITS[0], {"x": 1.5})
    assert claim.pending() == [UNITS[1]]
    run = ledger.get("r")
    assert (run.state, run.total, run.done, run.attempts) == (RunState.RUNNING, 3, 2, 1)
    assert ledger.results("r") == {"u0": {"x": 1.5}, "u2": {"x": "Grüße \ud800 \x00"}}
    assert list(ledger.results("r")) == ["u0", "u2"]
    assert ledger.report("r") is None
    claim.store(UNITS[1], {})
    claim.succeed({"n": 3})
    assert ledger.report("r") == {"n": 3}
    ended = ledger.get("r")
    assert ended.state is RunState.SUCCEEDED
    assert ended.started is not None
    assert ended.ended is not None and ended.ended >= ended.started
    assert Claims(database, "other").candidates() == []


def test_results_come_in_the_order_they_were_stored(database: Database):
    ledger = create(database)
    claim = taken(database)
    claim.begin(UNITS)
    for place in (2, 0, 1):
        claim.store(UNITS[place], {"i": place})
    found = ledger.results_after("r", 0, 10**6)
    assert [one.key for one in found] == ["u2", "u0", "u1"]
    sequences = [one.sequence for one in found]
    assert sequences == sorted({*sequences})
    assert ledger.results_after("r", sequences[0], 10**6) == found[1:]
    assert ledger.results_after("r", 0, 1) == found[:1]
    assert ledger.results_after("r", sequences[-1], 10**6) == ()
    assert found[0] == UnitResult("u2", sequences[0], {"i": 2})


def test_a_unit_has_one_result(database: Database):
    ledger = create(database)
    claim = taken(database)
    claim.begin(UNITS)
    claim.store(UNITS[0], {"x": 1})
    before = ledger.get("r")
    for unit in (UNITS[0], Unit("none")):
        with pytest.raises(ValueError, match="is not one, or has its result"):
            claim.store(unit, {"x": 2})
    with pytest.raises(ValueError, match="Out of range float"):
        claim.store(UNITS[1], {"x": float("nan")})
    assert ledger.get("r") == before
    assert ledger.results("r") == {"u0": {"x": 1}}


@pytest.mark.parametrize("work", [[], [Unit("a"), Unit("a")], [Unit("x" * 201)]], ids=str)
def test_units_that_are_none(database: Database, work: list[Unit]):
    create(database)
    with pytest.raises(ValueError, match="a run has units"):
        taken(database).begin(work)


def test_who_lost_a_run_stores_nothing(database: Database):
    ledger = create(database)
    mine = taken(database)
    mine.begin(UNITS)
    taken(database, "other").store(UNITS[0], {})
    before = ledger.get("r")
    attempts = [
        mine.beat,
        lambda: mine.store(UNITS[1], {}),
        lambda: mine.succeed({}),
        lambda: mine.fail(RunFailure("INTERNAL", "X", "x")),
        mine.cancelled,
        mine.release,
        lambda: mine.begin(UNITS),
    ]
    for attempt in attempts:
        with pytest.raises(Lost):
            attempt()
    assert ledger.get("r") == before


def test_one_of_two_takes_a_run(database: Database):
    create(database)
    both = [Claims(database, name) for name in ("a", "b")]
    seen = [claims.candidates()[0] for claims in both]
    first = both[0].take(seen[0])
    assert first is not None
    assert both[1].take(seen[1]) is None
    again = both[1].candidates()[0]
    assert not first.beat()
    assert both[1].take(again) is None, "it has shown a sign of life"


def test_of_many_that_take_at_once_one_does(database: Database):
    create(database)
    [seen] = Claims(database, "x").candidates()
    start, got = threading.Barrier(8), []

    def take(name: str) -> None:
        start.wait()
        if Claims(database, name).take(seen):
            got.append(name)

    threads = [threading.Thread(target=take, args=(f"o{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_cancelling(database: Database):
    ledger = create(database)
    assert ledger.cancel("r").state is RunState.CANCELLED
    before = ledger.get("r")
    assert ledger.cancel("r") == before
    create(database, "going")
    claim = taken(database)
    assert ledger.cancel("going").cancelling
    sequence = ledger.get("going").sequence
    assert ledger.cancel("going").sequence == sequence
    assert claim.beat()
    claim.cancelled()
    run = ledger.get("going")
    assert (run.state, run.cancelling) == (RunState.CANCELLED, False)


def test_deleting(database: Database):
    ledger = create(database)
    claim = taken(database)
    claim.begin(UNITS)
    claim.store(UNITS[0], {})
    assert ledger.delete("r") == ("v@sha256:1",)
    for look in (ledger.get, ledger.spec, ledger.report, ledger.delete, ledger.cancel):
        with pytest.raises(NotFound, match="no run 'r'"):
            look("r")
    assert ledger.results("r") == {}
    for attempt in (claim.beat, claim.begun, lambda: claim.store(UNITS[1], {})):
        with pytest.raises(Lost):
            attempt()
    create(database)
    assert ledger.results_after("r", 0, 100) == ()


def test_the_same_call_finds_the_same_run(database: Database):
    ledger = create(database)
    other = replace(a_run("r"), created=9.0)
    assert ledger.create(other, "{}", ASKED, ()) == a_run("r")
    assert ledger.known("r", ASKED) == a_run("r")
    assert ledger.known("x", ASKED) is None
    with pytest.raises(FailedPrecondition, match="another spec") as caught:
        ledger.create(other, "{}", "sha256:other", ())
    assert caught.value.reason == "RUN_EXISTS"


def test_pages_newest_first(database: Database):
    ledger = Ledger(database)
    for index in range(7):
        create(database, f"r{index}", created=float(index // 2), kind="ab"[index % 2])
    ids = [f"r{index}" for index in range(6, -1, -1)]
    assert _walk(ledger, 3) == ids
    assert _walk(ledger, 7) == ids
    assert _walk(ledger, 1, kind="a") == ["r6", "r4", "r2", "r0"]
    ledger.cancel("r3")
    assert _walk(ledger, 2, states=[RunState.CANCELLED]) == ["r3"]
    assert _walk(ledger, 2, states=[RunState.QUEUED], kind="b") == ["r5", "r1"]
    _, token = ledger.page("", 2)
    ledger.delete("r5")
    assert [run.id for run in ledger.page(token, 2)[0]] == ["r4", "r3"]
    with pytest.raises(InvalidRequest, match="page_token"):
        ledger.page("x", 2)


def _walk(ledger: Ledger, size: int, **wanted: object) -> list[str]:
    found, token = [], ""
    while True:
        page, token = ledger.page(token, size, **wanted)
        assert len(page) <= size
        found += [run.id for run in page]
        if not token:
            return found


class Machine(RuleBasedStateMachine):
    """One run and two servers, against what should be there."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.database = Database(Path(self.folder.name, "runs.sqlite"))
        self.ledger = create(self.database)
        self.claims = {name: Claims(self.database, name) for name in ("a", "b")}
        self.held: dict[str, Claim] = {}
        self.owner, self.state, self.begun = "", RunState.QUEUED, False
        self.results: dict[str, int] = {}
        self.sequence, self.count = 0, 0

    names = st.sampled_from(["a", "b"])

    @precondition(lambda self: not self.state.final)
    @rule(name=names)
    def take(self, name: str) -> None:
        [seen] = self.claims[name].candidates()
        claim = self.claims[name].take(seen)
        assert claim is not None
        self.held[name], self.owner, self.state = claim, name, RunState.RUNNING

    @precondition(lambda self: self.held)
    @rule(data=st.data(), place=st.integers(0, 2))
    def store(self, data: st.DataObject, place: int) -> None:
        name, claim = self._one(data)
        unit, self.count = UNITS[place], self.count + 1
        if name != self.owner:
            with pytest.raises(Lost):
                claim.store(unit, {"x": self.count})
        elif not self.begun or unit.key in self.results:
            with pytest.raises(ValueError):
                claim.store(unit, {"x": self.count})
        else:
            claim.store(unit, {"x": self.count})
            self.results[unit.key] = self.count

    @precondition(lambda self: self.held)
    @rule(data=st.data(), end=st.sampled_from(["begin", "release", "cancelled", "succeed"]))
    def change(self, data: st.DataObject, end: str) -> None:
        name, claim = self._one(data)
        arguments = {"begin": (UNITS,), "succeed": ({"n": 1},)}.get(end, ())
        if name != self.owner or (end == "begin" and self.begun):
            with pytest.raises(Lost):
                getattr(claim, end)(*arguments)
            return
        getattr(claim, end)(*arguments)
        if end == "begin":
            self.begun = True
            return
        ends = {"release": RunState.QUEUED, "cancelled": RunState.CANCELLED}
        self.owner, self.state = "", ends.get(end, RunState.SUCCEEDED)

    @rule()
    def cancel(self) -> None:
        run = self.ledger.cancel("r")
        if self.state is RunState.QUEUED:
            self.state = RunState.CANCELLED
        assert run.cancelling or run.state.final

    @invariant()
    def what_is_stored_is_what_should_be(self) -> None:
        run = self.ledger.get("r")
        assert run.state is self.state
        assert run.done == len(self.results)
        assert run.sequence >= self.sequence
        self.sequence = run.sequence
        assert {key: one["x"] for key, one in self.ledger.results("r").items()} == self.results

    def _one(self, data: st.DataObject) -> tuple[str, Claim]:
        return data.draw(st.sampled_from(sorted(self.held.items(), key=lambda item: item[0])))

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
