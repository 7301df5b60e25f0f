"""Servers that are killed in the middle of a run, again and again."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

import steer
from steer.errors import SteerError
from steer.runs.database import Database
from steer.runs.schema import units
from steer.specs import EvaluateSpec, InlineTask, RunState
from steer.types import Sampling

KILLS = 3
LINES = 800


@contextmanager
def server(folder: Path, database: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers; it is killed at the end, if not before."""
    socket = folder / "socket"
    socket.unlink(missing_ok=True)
    arguments = (f"unix:{socket}", str(folder / "store"), database)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.runs.serve", *arguments], stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + 60
        while not _serves(f"unix:{socket}"):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def _serves(target: str) -> bool:
    with steer.Client(target) as client:
        try:
            return client.health(timeout=1)
        except SteerError:
            return False


def spec() -> EvaluateSpec:
    rows = "\n".join(json.dumps([3 + i % 20, 4, 5]) for i in range(LINES))
    sampling = Sampling(max_tokens=40, temperature=1.0, ignore_eos=True)
    return EvaluateSpec(InlineTask("lines", rows), (), sampling=sampling)


def until_done(client: steer.Client, count: int) -> int:
    """Waits until so many units are done, or all; how many are."""
    done = 0
    for run in client.runs.get("killed").progress(timeout=60):
        done = run.done
        if done >= count:
            break
    return done


def test_every_unit_is_done_once_however_often_the_server_is_killed(tmp_path: Path, place: str):
    target = f"unix:{tmp_path / 'socket'}"
    acknowledged: dict[str, object] = {}
    watching: threading.Thread | None = None
    for kill in range(KILLS):
        with server(tmp_path, place) as process, steer.Client(target) as client:
            if watching is None:
                client.runs.create(spec(), run_id="killed")
                watching = threading.Thread(target=follow, args=(target, acknowledged))
                watching.start()
            before = client.runs.get("killed").run.done
            done = until_done(client, before + 20 * (kill + 1))
            assert done < LINES
            process.send_signal(signal.SIGKILL)
            process.wait()
    with server(tmp_path, place), steer.Client(target) as client:
        run = client.runs.get("killed").wait(timeout=60)
        assert (run.state, run.total, run.done) == (RunState.SUCCEEDED, LINES, LINES)
        assert run.attempts == KILLS + 1
        assert watching is not None
        watching.join(30)
        whole = client.runs.create(spec(), run_id="whole")
        whole.wait(timeout=60)
        expected = {one.key: one.result for one in whole.results()}
        assert {one.key: one.result for one in client.runs.get("killed").results()} == expected
        assert client.runs.report("killed").report == whole.report()
    # Whoever followed was told of every unit once, through all of it.
    assert acknowledged == expected
    stored_once(place)


def follow(target: str, told: dict[str, object]) -> None:
    """Notes every result that is told of; a result that comes twice is an error."""
    with steer.Client(target) as client:
        for event in client.runs.watch("killed", results=True):
            for one in event.results:
                assert one.key not in told
                told[one.key] = one.result


def stored_once(place: str) -> None:
    database = Database(place)
    query = select(units.c.key, units.c.sequence).where(units.c.run_id == "killed")
    with database.read() as connection:
        rows = connection.execute(query).all()
    database.close()
    assert len(rows) == LINES
    sequences = [row.sequence for row in rows]
    assert None not in sequences
    assert len({*sequences}) == LINES


def test_a_result_that_was_told_is_there_after_a_kill(tmp_path: Path):
    place = str(tmp_path / "runs.sqlite")
    target = f"unix:{tmp_path / 'socket'}"
    with server(tmp_path, place) as process, steer.Client(target) as client:
        client.runs.create(spec(), run_id="killed")
        told: dict[str, object] = {}
        for event in client.runs.watch("killed", results=True):
            told |= {one.key: one.result for one in event.results}
            if len(told) > 30:
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
    database = Database(place)
    query = select(units.c.key, units.c.result).where(units.c.result.is_not(None))
    with database.read() as connection:
        kept = {row.key: json.loads(row.result) for row in connection.execute(query)}
    database.close()
    assert told.items() <= kept.items()


@pytest.fixture(autouse=True)
def _log(tmp_path: Path) -> Iterator[None]:
    """What the servers said, for a test that fails."""
    yield
    log = tmp_path / "log"
    print(log.read_text()[-5000:] if log.exists() else "")
