"""The database of runs: a file of SQLite, or anything SQLAlchemy reaches."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from steer.errors import FailedPrecondition, InvalidRequest
from steer.runs.faults import told
from steer.runs.schema import prepare

LOCK_SECONDS = 15.0
"""How long a writer of SQLite waits for another."""
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


class Database:
    """Transactions on the tables of runs. Safe to use from several threads and processes.

    ``place``: the path of a file, or a URL. A file is SQLite with a write-ahead log, so it must
    not be on a network file system. Tables are made, or migrated, when it is opened.

    Raises:
        InvalidRequest: ``place`` is no path and no URL that can be used.
        FailedPrecondition: a newer version of steer made the tables; nothing was changed.
        DatabaseProblem: it can not be reached, read or written; also raised by transactions.
    """

    def __init__(self, place: str | Path) -> None:
        url = _url(place)
        self.name = url.render_as_string(hide_password=True)
        self._writing = _engine(url)
        self._reading = self._writing.execution_options(steer_reads=True)
        try:
            with self.write() as connection:
                prepare(connection, self.name)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: everything in it is kept, or when the block raises nothing."""
        with told(self.name), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, and waits for nobody."""
        with told(self.name), self._reading.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self._writing.dispose()


def _url(place: str | Path) -> URL:
    if isinstance(place, Path) or "://" not in place:
        return URL.create("sqlite", database=str(place))
    try:
        url = make_url(place)
    except ArgumentError as error:
        raise InvalidRequest("database: is no URL of SQLAlchemy", reason="BAD_URL") from error
    if url.drivername.startswith("sqlite") and url.database in (None, "", ":memory:"):
        message = "database: is SQLite in memory, where nothing survives; give the path of a file"
        raise InvalidRequest(message, reason="BAD_URL")
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def _engine(url: URL) -> Engine:
    if url.drivername.startswith("sqlite"):
        return _sqlite(url)
    try:
        # A connection that died with its server is replaced before it is used.
        return create_engine(url, pool_pre_ping=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        message = f"database: no driver for {url.drivername} is installed ({error})"
        raise FailedPrecondition(message, reason="NO_DRIVER") from error


def _sqlite(url: URL) -> Engine:
    path = str(url.database)
    try:
        if not path.startswith("file:"):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder of the database {url.database} can not be made: {error.strerror}"
        raise FailedPrecondition(message, reason="DATABASE_UNREACHABLE") from error
    engine = create_engine(url, connect_args={"timeout": LOCK_SECONDS})
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)
    return engine


def _connected(connection: Any, record: object) -> None:
    # The driver must not begin transactions by itself: _begun says how they begin.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # Enough for a process that is killed. When the power fails the last units may be missing;
    # they are done again.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begun(connection: Connection) -> None:
    # A writer takes its lock at once: to upgrade a read in the middle fails when others wrote.
    reads = connection.get_execution_options().get("steer_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
