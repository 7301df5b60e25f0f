"""What a database says when it can not, in words of ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from steer.errors import SteerError


class DatabaseProblem(SteerError):
    """The database can not be used now. What was under way was not stored, not even in part."""

    code = "UNAVAILABLE"
    default_reason = "DATABASE_UNREACHABLE"


# Primary result codes of SQLite, and classes or codes of SQLSTATE: what it is, and what to do.
_SQLITE = {
    sqlite3.SQLITE_BUSY: ("DATABASE_BUSY", "is locked by another process; try again"),
    sqlite3.SQLITE_LOCKED: ("DATABASE_BUSY", "is locked by another process; try again"),
    sqlite3.SQLITE_FULL: ("DATABASE_FULL", "is on a disk that is full; make room"),
    sqlite3.SQLITE_READONLY: ("DATABASE_READ_ONLY", "can not be written"),
    sqlite3.SQLITE_CORRUPT: ("DATABASE_DAMAGED", "is damaged"),
    sqlite3.SQLITE_NOTADB: ("DATABASE_DAMAGED", "is a file of another kind"),
    sqlite3.SQLITE_CANTOPEN: ("DATABASE_UNREACHABLE", "can not be opened or created"),
}
_SQLSTATE = {
    "53100": ("DATABASE_FULL", "is on a disk that is full; make room"),
    "40001": ("DATABASE_BUSY", "is at work for others; try again"),
    "40P01": ("DATABASE_BUSY", "is at work for others; try again"),
    "55P03": ("DATABASE_BUSY", "is at work for others; try again"),
    "25006": ("DATABASE_READ_ONLY", "can not be written"),
}


@contextmanager
def told(name: str) -> Iterator[None]:
    """Around every use of a database. ``name``: what to call it, without credentials.

    IntegrityError passes: that is no fault of the database.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        # The driver's own words: SQLAlchemy's hold the statement with its values.
        raise _problem(name, error.orig or error) from error
    except (sqlite3.Error, PoolTimeout) as error:
        raise _problem(name, error) from error


def _problem(name: str, error: BaseException) -> DatabaseProblem:
    reason, what = _meaning(error)
    return DatabaseProblem(f"the database {name} {what} ({str(error).strip()})", reason=reason)


def _meaning(error: BaseException) -> tuple[str, str]:
    unknown = (DatabaseProblem.default_reason, "did not do what it was asked")
    if isinstance(error, sqlite3.Error):
        return _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, unknown)
    return _SQLSTATE.get(getattr(error, "sqlstate", None) or "", unknown)
