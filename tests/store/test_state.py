"""Any order of storing, deleting, referring and sweeping against a dictionary that remembers."""

import secrets
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from steer.errors import NotFound
from steer.store import Store
from tests.store import items

NAMES = st.sampled_from(["a", "a/b", "c"])
SEEDS = st.integers(0, 3)
BY = st.sampled_from(["run-1", "run-2"])


@dataclass
class Known:
    """What should be known of a version. ``state``: live, retired or erased."""

    name: str
    number: int
    seed: int
    digest: str
    state: str = "live"

    @property
    def address(self) -> str:
        return f"{self.name}@{self.digest}"


class Machine(RuleBasedStateMachine):
    """``self.known``: every version ever; ``self.refs``: (address, by)."""

    stored = Bundle("stored")
    referred = Bundle("referred")
    place = ""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(f"{self.place}{secrets.token_hex(8)}")
        self.known: list[Known] = []
        self.refs: set[tuple[str, str]] = set()

    def live(self, name: str) -> list[Known]:
        return [one for one in self.known if one.name == name and one.state == "live"]

    def held(self, one: Known) -> bool:
        return any(address == one.address for address, _ in self.refs)

    @rule(target=stored, name=NAMES, seed=SEEDS)
    def add(self, name: str, seed: int) -> Known:
        live = self.live(name)
        version = self.store.add(items.vector(name, seed))
        if live and live[-1].seed == seed:
            assert (version.number, version.digest) == (live[-1].number, live[-1].digest)
            return live[-1]
        ever = [one for one in self.known if one.name == name]
        assert version.number == len(ever) + 1
        made = Known(name, version.number, seed, version.digest)
        self.known.append(made)
        return made

    @rule(one=stored, whole=st.booleans())
    def delete(self, one: Known, whole: bool) -> None:
        doomed = self.live(one.name) if whole else [one] if one.state == "live" else []
        address = one.name if whole else f"{one.name}@{one.number}"
        if not doomed:
            with pytest.raises(NotFound):
                self.store.delete(address)
            return
        removed = self.store.delete(address)
        for version in doomed:
            version.state = "retired" if self.held(version) else "erased"
            assert (version.address in removed.kept) == self.held(version)
            gone = f"{version.name}@{version.number}" in removed.removed
            assert gone == (version.state == "erased")

    @rule(target=referred, one=stored, by=BY)
    def refer(self, one: Known, by: str):
        live = any(k.digest == one.digest for k in self.live(one.name))
        if not live and (one.address, by) not in self.refs:
            with pytest.raises(NotFound):
                self.store.refer(one.address, by)
            return multiple()
        self.store.refer(one.address, by)
        self.refs.add((one.address, by))
        return (one, by)

    @rule(given=consumes(referred))
    def release(self, given: tuple[Known, str]) -> None:
        one, by = given
        if (one.address, by) not in self.refs:
            return
        self.store.release(one.address, by)
        self.refs.discard((one.address, by))
        for other in self.known:
            if other.state == "retired" and not self.held(other):
                other.state = "erased"

    def findable(self, one: Known) -> bool:
        return any(k.address == one.address and k.state != "erased" for k in self.known)

    @rule(again=st.booleans())
    def sweep(self, again: bool) -> None:
        self.store.sweep(older_than=-1)
        if again:
            self.store = Store(self.store.root)

    @invariant()
    def names_are_those_with_a_version(self) -> None:
        names = sorted({one.name for one in self.known if one.state == "live"})
        assert self.store.names() == names
        for name in names:
            assert self.store.resolve(name).number == self.live(name)[-1].number
            numbers = [one.number for one in self.live(name)]
            assert [v.number for v in self.store.versions(name)] == numbers

    @invariant()
    def what_is_live_or_referred_to_is_found(self) -> None:
        for one in self.known:
            if self.findable(one):
                got = self.store.get(one.address)
                want = items.vector(one.name, one.seed)
                assert all((got.tensors[s] == want.tensors[s]).all() for s in want.tensors)
            else:
                with pytest.raises(NotFound):
                    self.store.get(one.address)

    @invariant()
    def nothing_is_damaged(self) -> None:
        report = self.store.verify()
        assert report.damage == ()


@pytest.mark.parametrize("place", ["local", "memory"])
def test_any_order_of_calls(place, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    where = f"{tmp_path}/" if place == "local" else "memory://"
    machine = type("Placed", (Machine,), {"place": where})
    most = 12 if place == "local" else 40
    run_state_machine_as_test(
        machine, settings=settings(max_examples=most, stateful_step_count=20, deadline=None)
    )
