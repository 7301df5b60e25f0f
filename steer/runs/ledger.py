"""Stored runs, as those who ask for them see them. Who executes one works with ``claim``."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.runs.clock import now
from steer.runs.database import Database
from steer.runs.schema import runs, units
from steer.specs import Run, RunFailure, RunState, UnitResult

# What a Run has that a column of the same name holds as it is.
_PLAIN = (
    "id name kind spec_hash model fingerprint created sequence total done attempts cancelling "
    "started ended"
).split()
_COLUMNS = [runs.c[name] for name in (*_PLAIN, "state", "failure")]
_AT_ONCE = 64
"""Results that are read at once."""


class Ledger:
    """Creates, shows, lists, stops and removes runs. Every method raises DatabaseProblem where the
    database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, run_id: str, asked_hash: str) -> Run | None:
        """The run of this id, for a call that is repeated; None when there is none.

        Raises FailedPrecondition when something else was asked of it.
        """
        query = _of(run_id, *_COLUMNS, runs.c.asked_hash)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        if row.asked_hash != asked_hash:
            message = f"there is a run {run_id!r} with another spec; give another id"
            raise FailedPrecondition(message, reason="RUN_EXISTS")
        return _run(row)

    def create(self, run: Run, spec: str, asked_hash: str, pins: Sequence[str]) -> Run:
        """Queue a run, unless it is ``known``; raises as that does.

        ``spec``: the text of what is to be done. ``asked_hash``: of what was asked for. ``pins``:
        addresses of what it refers to.
        """
        row = {name: getattr(run, name) for name in _PLAIN} | {
            "state": RunState.QUEUED.value,
            "spec": spec,
            "asked_hash": asked_hash,
            "pins": json.dumps(list(pins)),
            "owner": "",
            "beat": 0,
        }
        try:
            with self._database.write() as connection:
                connection.execute(runs.insert().values(row))
        except IntegrityError:
            return self.known(run.id, asked_hash) or self.create(run, spec, asked_hash, pins)
        return run

    def get(self, run_id: str) -> Run:
        """A run, without its spec. Raises NotFound."""
        with self._database.read() as connection:
            return _found(connection, run_id)

    def spec(self, run_id: str) -> str:
        """The text of what a run does. Raises NotFound."""
        with self._database.read() as connection:
            text = connection.execute(_of(run_id, runs.c.spec)).scalar_one_or_none()
        if text is None:
            raise _unknown(run_id)
        return str(text)

    def page(
        self, after: str, limit: int, kind: str = "", states: Iterable[RunState] = ()
    ) -> tuple[list[Run], str]:
        """At most ``limit`` runs, newest first, and the token of the next page; empty on the last.

        ``after``: such a token, or empty. Raises InvalidRequest for anything else.
        """
        query = select(*_COLUMNS).order_by(runs.c.created.desc(), runs.c.id.desc())
        if after:
            query = query.where(tuple_(runs.c.created, runs.c.id) < _place(after))
        if kind:
            query = query.where(runs.c.kind == kind)
        if wanted := [state.value for state in states]:
            query = query.where(runs.c.state.in_(wanted))
        with self._database.read() as connection:
            found = [_run(row) for row in connection.execute(query.limit(limit + 1))]
        page = found[:limit]
        return page, f"{page[-1].created!r} {page[-1].id}" if len(found) > limit else ""

    def cancel(self, run_id: str) -> Run:
        """Stop a run: at once when nobody executes it, else as soon as they notice. One that is
        over stays as it is. Raises NotFound."""
        changed = {"sequence": runs.c.sequence + 1}
        over = {"state": RunState.CANCELLED.value, "ended": now()}
        with self._database.write() as connection:
            query = update(runs).where(runs.c.id == run_id)
            queued = query.where(runs.c.state == RunState.QUEUED.value)
            going = query.where(runs.c.state == RunState.RUNNING.value, ~runs.c.cancelling)
            if not connection.execute(queued.values(changed | over)).rowcount:
                connection.execute(going.values(changed | {"cancelling": True}))
            return _found(connection, run_id)

    def delete(self, run_id: str) -> tuple[str, ...]:
        """Remove a run and its results; who executes it will notice. Returns its pins.

        Raises NotFound.
        """
        with self._database.write() as connection:
            # The run first, as everybody else does, or two wait for each other.
            query = _of(run_id, runs.c.pins).with_for_update()
            pins = connection.execute(query).scalar_one_or_none()
            if pins is None:
                raise _unknown(run_id)
            # Not every database does this by itself.
            connection.execute(units.delete().where(units.c.run_id == run_id))
            connection.execute(runs.delete().where(runs.c.id == run_id))
        return tuple(json.loads(pins))

    def report(self, run_id: str) -> Mapping[str, Any] | None:
        """The report of a run that succeeded. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(_of(run_id, runs.c.report)).one_or_none()
        if row is None:
            raise _unknown(run_id)
        return None if row.report is None else dict(json.loads(row.report))

    def results(self, run_id: str) -> dict[str, Any]:
        """Results by key, in the order of the units."""
        query = (
            select(units.c.key, units.c.result)
            .where(units.c.run_id == run_id, units.c.result.is_not(None))
            .order_by(units.c.position)
        )
        with self._database.read() as connection:
            return {row.key: json.loads(row.result) for row in connection.execute(query)}

    def results_after(self, run_id: str, sequence: int, size: int) -> tuple[UnitResult, ...]:
        """The results that came next after this sequence number, until they are ``size`` characters
        or more; none when there are none yet."""
        query = (
            select(units.c.key, units.c.sequence, units.c.result)
            .where(units.c.run_id == run_id, units.c.sequence > sequence)
            .order_by(units.c.sequence)
            .limit(_AT_ONCE)
        )
        with self._database.read() as connection:
            return tuple(_up_to(size, connection.execute(query)))


def _up_to(size: int, rows: Iterable[Row[Any]]) -> Iterator[UnitResult]:
    for row in rows:
        yield UnitResult(row.key, row.sequence, json.loads(row.result))
        size -= len(row.result)
        if size <= 0:
            return


def _of(run_id: str, *columns: Any) -> Select[Any]:
    return select(*columns).where(runs.c.id == run_id)


def _found(connection: Connection, run_id: str) -> Run:
    row = connection.execute(_of(run_id, *_COLUMNS)).one_or_none()
    if row is None:
        raise _unknown(run_id)
    return _run(row)


def _run(row: Row[Any]) -> Run:
    failure = None if row.failure is None else RunFailure(**json.loads(row.failure))
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Run(**plain, state=RunState(row.state), failure=failure)


def _unknown(run_id: str) -> NotFound:
    return NotFound(f"no run {run_id!r}", reason="RUN_NOT_FOUND")


def _place(token: str) -> tuple[float, str]:
    created, _, run_id = token.partition(" ")
    try:
        return float(created), run_id
    except ValueError:
        message = f"page_token: {token!r} is not one that this server gave"
        raise InvalidRequest(message, reason="BAD_TOKEN") from None
