"""Opening, migrating and refusing databases, and what happens when they can not."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, select, text

from steer.errors import FailedPrecondition, InvalidRequest
from steer.runs import database as module
from steer.runs.database import Database
from steer.runs.faults import DatabaseProblem
from steer.runs.ledger import Ledger
from steer.runs.schema import VERSION, prepare, runs, versions
from tests.runs.items import a_run
from tests.runs.postgres import Cluster


@contextmanager
def opened(place: str | Path) -> Iterator[Database]:
    made = Database(place)
    try:
        yield made
    finally:
        made.close()


def create(database: Database, run_id: str = "r") -> None:
    Ledger(database).create(a_run(run_id), "{}", "sha256:asked", ())


def version(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(versions.c.version)).scalar_one()


def test_what_is_there_stays_when_it_is_opened_again(place: str):
    with opened(place) as first:
        create(first)
        with opened(place) as second:
            assert Ledger(second).get("r") == a_run("r")
            assert version(second) == VERSION


def test_many_open_a_new_database_at_once(place: str):
    problems: list[BaseException] = []

    def open_it() -> None:
        try:
            with opened(place) as one:
                assert version(one) == VERSION
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


def test_a_newer_database_is_refused_untouched(place: str):
    with opened(place) as database:
        create(database)
        with database.write() as connection:
            connection.execute(versions.update().values(version=VERSION + 1))
            connection.execute(text("ALTER TABLE steer_runs ADD COLUMN later TEXT"))
    with pytest.raises(FailedPrecondition, match="it was left as it is") as caught:
        Database(place)
    assert caught.value.reason == "DATABASE_NEWER"
    with opened_as_is(place) as connection:
        assert connection.execute(select(versions.c.version)).scalar_one() == VERSION + 1
        assert connection.execute(text("SELECT id, later FROM steer_runs")).one() == ("r", None)


@contextmanager
def opened_as_is(place: str) -> Iterator[Connection]:
    engine = module._engine(module._url(place))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_an_older_database_is_migrated_in_steps(database: Database):
    create(database)

    def first(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE steer_runs ADD COLUMN later TEXT"))

    def second(connection: Connection) -> None:
        connection.execute(text("UPDATE steer_runs SET later = 'yes'"))

    steps = {VERSION: first, VERSION + 1: second}
    with database.write() as connection:
        prepare(connection, "x", steps, VERSION + 2)
    assert version(database) == VERSION + 2
    with database.read() as connection:
        assert connection.execute(text("SELECT id, later FROM steer_runs")).one() == ("r", "yes")
    with database.write() as connection:
        prepare(connection, "x", {}, VERSION + 2)


def test_a_migration_that_fails_leaves_the_older_database(database: Database):
    create(database)

    def first(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE steer_runs ADD COLUMN later TEXT"))

    def second(connection: Connection) -> None:
        connection.execute(text("UPDATE steer_runs SET nothing = 1"))

    with pytest.raises(DatabaseProblem), database.write() as connection:
        prepare(connection, "x", {VERSION: first, VERSION + 1: second}, VERSION + 2)
    assert version(database) == VERSION
    with database.read() as connection:
        columns = {column["name"] for column in inspect(connection).get_columns(runs.name)}
    assert columns == set(runs.c.keys())


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database):
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute(versions.update().values(version=7))
        raise RuntimeError
    assert version(database) == VERSION


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("sqlite://", "BAD_URL"),
        ("sqlite:///:memory:", "BAD_URL"),
        ("://x", "BAD_URL"),
        ("nothing://host/x", "NO_DRIVER"),
        ("mysql://host/x", "NO_DRIVER"),
    ],
)
def test_places_that_are_none(place: str, reason: str):
    with pytest.raises((InvalidRequest, FailedPrecondition)) as caught:
        Database(place)
    assert caught.value.reason == reason


def test_a_password_is_not_told():
    with pytest.raises(DatabaseProblem) as caught:
        Database("postgresql://steer:secret@localhost:1/x?connect_timeout=1")
    assert caught.value.reason == "DATABASE_UNREACHABLE"
    assert "secret" not in caught.value.message


def test_a_file_of_another_kind(tmp_path: Path):
    path = tmp_path / "runs.sqlite"
    path.write_text("not a database, but long enough to be looked at" * 50)
    with pytest.raises(DatabaseProblem, match="is a file of another kind"):
        Database(path)
    assert path.read_text().startswith("not a database")


def test_a_folder_that_can_not_be_made(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FailedPrecondition, match="can not be made"):
        Database(tmp_path / "file" / "runs.sqlite")


def test_a_database_that_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    path = tmp_path / "runs.sqlite"
    with opened(path) as database, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseProblem, match="locked by another process") as caught:
            create(database)
        assert caught.value.reason == "DATABASE_BUSY"
        assert version(database) == VERSION  # who reads does not wait
        other.execute("ROLLBACK")
        create(database)


def test_a_disk_that_is_full(tmp_path: Path):
    with opened(tmp_path / "runs.sqlite") as database:
        # Real errors of SQLite: to it this is a disk that ends there.
        with database.read() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DatabaseProblem, match="disk that is full") as caught:
            Ledger(database).create(a_run("r"), "x" * 100_000, "sha256:asked", ())
        assert caught.value.reason == "DATABASE_FULL"
        assert Ledger(database).page("", 10) == ([], "")
        with database.read() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        Ledger(database).create(a_run("r"), "x" * 100_000, "sha256:asked", ())


def test_a_database_that_is_only_read(tmp_path: Path):
    with opened(tmp_path / "runs.sqlite"):
        pass
    place = f"sqlite:///file:{tmp_path / 'runs.sqlite'}?mode=ro&uri=true"
    with opened(place) as database, pytest.raises(DatabaseProblem, match="can not be written"):
        create(database)


def test_a_server_that_goes_and_comes_back(postgres: Cluster):
    with opened(postgres.database()) as database:
        create(database)
        postgres.stop()
        with pytest.raises(DatabaseProblem) as caught:
            Ledger(database).get("r")
        assert caught.value.reason == "DATABASE_UNREACHABLE"
        postgres.start()
        assert Ledger(database).get("r") == a_run("r")
