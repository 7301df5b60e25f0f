"""Several processes and threads on one store: nothing is lost, mixed or seen by half."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from steer.errors import FailedPrecondition, NotFound
from steer.store import Store, content_hash
from tests.store import items


def test_processes_that_store_under_one_name_all_get_a_version(tmp_path):
    processes, each = 4, 10
    command = [sys.executable, "-m", "tests.store.uploader", str(tmp_path)]
    running = [
        subprocess.Popen(
            [*command, str(seed), str(each), "same"], stdout=subprocess.PIPE, text=True
        )
        for seed in range(processes)
    ]
    said = [address for one in running for address in one.communicate()[0].split()]
    assert all(one.returncode == 0 for one in running)
    store = Store(tmp_path)
    versions = store.versions("same")
    assert [v.number for v in versions] == list(range(1, processes * each + 1))
    assert sorted(said) == sorted(v.address for v in versions)
    report = store.verify()
    assert (report.damage, report.leftovers) == ((), ())


def test_threads_that_store_under_one_name_all_get_a_version(store):
    with ThreadPoolExecutor(8) as pool:
        work = [
            pool.submit(Store(store.root).add, items.vector("same", seed)) for seed in range(24)
        ]
        numbers = sorted(one.result().number for one in work)
    assert numbers == list(range(1, 25))
    assert store.verify().damage == ()


def test_the_same_from_many_is_stored_as_few(store):
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(Store(store.root).add, items.vector("same")) for _ in range(16)]
        digests = {one.result().digest for one in work}
    assert len(digests) == 1
    store.add(items.vector("same"))
    report = store.verify()
    assert (report.damage, report.leftovers) == ((), ())


def test_readers_see_whole_vectors_while_they_come_and_go(store):
    """A reader gets a vector that was stored, or hears that there is none."""
    allowed = {content_hash(items.vector(seed=seed).tensors) for seed in range(2)}
    stop = threading.Event()

    def read() -> set[str]:
        seen = set()
        while not stop.is_set():
            with suppress(NotFound):
                seen.add(Store(store.root).get("a").content_hash)
        return seen

    def write(seed: int) -> None:
        for _ in range(15):
            Store(store.root).add(items.vector("a", seed))

    def delete() -> None:
        for _ in range(20):
            with suppress(NotFound):
                Store(store.root).delete("a")

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        writers = [pool.submit(write, 0), pool.submit(write, 1), pool.submit(delete)]
        try:
            for writer in writers:
                writer.result()
        finally:
            stop.set()
        seen = set().union(*(reader.result() for reader in readers))
    assert seen and seen <= allowed
    assert store.verify().damage == ()


def test_what_is_referred_to_while_it_is_deleted_stays_or_is_refused(store):
    outcomes = set()
    for seed in range(12):
        version = store.add(items.vector("a", seed))
        with ThreadPoolExecutor(2) as pool:
            deleting = pool.submit(Store(store.root).delete, "a")
            referring = pool.submit(Store(store.root).refer, version.address, "run")
            error, removed = referring.exception(), deleting.result()
        outcomes.add(error is None)
        if error is None:
            assert store.get(version.address).card == version.card
            assert store.referrers(version.address) == ("run",)
            assert version.address in removed.kept or version.number not in removed.removed
        else:
            assert isinstance(error, NotFound)
            # Its reference may have been seen before it was taken back: then it is swept.
            store.sweep(older_than=-1)
            with pytest.raises(NotFound):
                store.get(version.address)
        assert store.verify().damage == ()
    assert outcomes


def test_an_upload_is_taken_over_only_when_it_is_let_go(store):
    card = items.vector().card
    taken, tried = [], 20
    upload = store.upload("a", card, 100)
    upload.close()

    def take() -> None:
        with suppress(FailedPrecondition):
            taken.append(Store(store.root).resume(upload.id))

    threads = [threading.Thread(target=take) for _ in range(tried)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    taken[0].discard()
