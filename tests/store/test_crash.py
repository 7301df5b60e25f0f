"""A store that is killed at any moment is whole, and holds everything it said it holds."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from steer.errors import NotFound
from steer.store import Store
from steer.store.versions import Versions
from tests.store import items, uploader

WANTED = 200


def run_until_killed(root: Path, seed: int, after: float) -> list[str]:
    """What an uploader said it stored before it was killed ``after`` seconds from its first."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            uploader.main(str(root), seed, say=lambda line: os.write(write, f"{line}\n".encode()))
        finally:
            os._exit(1)
    os.close(write)
    with open(read) as said:
        first = said.readline()
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
        lines = [first, *said]
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    # A line that was cut off was not said.
    return [line.rstrip("\n") for line in lines if line.endswith("\n")]


def test_kill_9_at_random_moments_of_200_uploads_loses_nothing(tmp_path):
    stored: list[str] = []
    draw, interrupted = random.Random(0), 0
    for seed in range(200):
        stored += run_until_killed(tmp_path, seed, draw.uniform(0.0, 0.06))
        store = Store(tmp_path)
        report = store.verify()
        assert report.damage == ()
        interrupted += bool(report.leftovers)
        store.sweep(older_than=-1)
        digests = {v.address for name in store.names() for v in store.versions(name)}
        assert set(stored) <= digests
        if len(stored) >= WANTED:
            break
    assert len(stored) >= WANTED and interrupted >= 3, f"{interrupted} of {seed} in the midst"
    for address in stored[:: len(stored) // 20]:
        assert store.get(address).kind
    report = store.verify()
    assert (report.damage, report.leftovers) == ((), ())


CALLS = ("link", "replace", "unlink", "fsync", "mkdir", "chmod", "fchmod", "open")


def die_at_call(n: int, work) -> bool:
    """Run ``work`` in a copy of this process that dies at its n-th system call of CALLS.

    Whether it got that far.
    """
    child = os.fork()
    if child == 0:
        left = n

        def dying(call):
            def wrapped(*given, **named):
                nonlocal left
                left -= 1
                if left < 0:
                    os._exit(9)
                return call(*given, **named)

            return wrapped

        for name in CALLS:
            setattr(os, name, dying(getattr(os, name)))
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def state(root: Path) -> tuple[str, ...]:
    store = Store(root)
    report = store.verify()
    assert report.damage == ()
    return tuple(v.address for name in store.names() for v in store.versions(name))


WORK = {
    "first version": lambda store: store.add(items.vector("new/one")),
    "next version": lambda store: store.add(items.vector("old", seed=5)),
    "delete one": lambda store: store.delete("old@1"),
    "delete all": lambda store: store.delete("old"),
    "sweep": lambda store: store.sweep(older_than=-1),
}


@pytest.mark.parametrize("what", WORK)
def test_dying_at_any_system_call_leaves_before_or_after(what, tmp_path):
    done = False
    for n in range(200):
        root = tmp_path / str(n)
        store = Store(root)
        store.add(items.vector("old", seed=1))
        store.add(items.vector("old", seed=2))
        store.refer("old@2", "run")
        before, kept = state(root), store.resolve("old@2").address
        if not die_at_call(n, lambda root=root: WORK[what](Store(root))):
            done = True
            break
        after = state(root)
        if what == "delete all":
            assert set(after) <= set(before)
        elif what == "delete one":
            assert after in (before, before[1:])
        else:
            assert after[: len(before)] == before or after[-len(before) :] == before
        assert Store(root).get(kept).kind == "direction"
        # Doing it again finishes it, and nothing is in the way.
        try:
            WORK[what](Store(root))
        except NotFound:
            assert what.startswith("delete") and after != before
        Store(root).sweep(older_than=-1)
        final = Store(root).verify()
        assert (final.damage, final.leftovers) == ((), ())
    assert done and n > (3 if what == "sweep" else 8), f"{n} system calls"


def test_a_deletion_that_died_is_not_undone(tmp_path, monkeypatch):
    """Marked as gone and not yet erased: not there any more, and swept away."""
    store = Store(tmp_path)
    version = store.add(items.vector("a"))
    monkeypatch.setattr(Versions, "version", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        store.delete("a")
    monkeypatch.undo()
    again = Store(tmp_path)
    with pytest.raises(NotFound):
        again.get("a")
    assert any("card.json" in one for one in again.sweep())
    with pytest.raises(NotFound):
        again.get(version.address)
