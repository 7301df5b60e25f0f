"""Who executes a run. Everything they store is stored only while the run is theirs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Update, func, select, update

from steer.runs.clock import now
from steer.runs.database import Database
from steer.runs.kind import Json, Unit
from steer.runs.schema import LONGEST_KEY, runs, units
from steer.specs import RunFailure, RunState

_SEEN = ("id", "kind", "fingerprint", "owner", "beat", "cancelling")
_GOING = [state.value for state in RunState if not state.final]


class Lost(Exception):
    """The run was deleted, or another server has taken it over."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that is not over. ``owner``: who executes it, empty for nobody; ``beat`` grows while
    they live. ``pins``: addresses of what it refers to."""

    id: str
    kind: str
    fingerprint: str
    owner: str
    beat: int
    cancelling: bool
    pins: tuple[str, ...]


class Claims:
    """Takes runs for ``owner``, a name that is nobody else's."""

    def __init__(self, database: Database, owner: str) -> None:
        self._database, self.owner = database, owner

    def candidates(self) -> list[Candidate]:
        """Runs that are not over, oldest first."""
        query = (
            select(*(runs.c[name] for name in _SEEN), runs.c.pins)
            .where(runs.c.state.in_(_GOING))
            .order_by(runs.c.created, runs.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Candidate(**{name: row[name] for name in _SEEN}, pins=tuple(json.loads(row["pins"])))
            for row in rows
        ]

    def take(self, seen: Candidate) -> "Claim | None":
        """Make a run ours, unless something has happened to it since it was seen."""
        query = update(runs).where(
            runs.c.id == seen.id,
            runs.c.owner == seen.owner,
            runs.c.beat == seen.beat,
            runs.c.state.in_(_GOING),
        )
        changed = {
            "owner": self.owner,
            "state": RunState.RUNNING.value,
            "beat": runs.c.beat + 1,
            "attempts": runs.c.attempts + 1,
            "sequence": runs.c.sequence + 1,
            "started": func.coalesce(runs.c.started, now()),
        }
        with self._database.write() as connection:
            if not connection.execute(query.values(changed)).rowcount:
                return None
        return Claim(self._database, seen.id, self.owner)


class Claim:
    """A run that is ours until it is over or given up. Every method raises Lost when it no longer
    is, and then nothing is stored."""

    def __init__(self, database: Database, run_id: str, owner: str) -> None:
        self._database, self.run_id, self._owner = database, run_id, owner

    def beat(self) -> bool:
        """Say that we live. Whether the run is to be cancelled."""
        query = self._mine({"beat": runs.c.beat + 1}).returning(runs.c.cancelling)
        with self._database.write() as connection:
            cancelling = connection.execute(query).scalar_one_or_none()
            if cancelling is None:
                raise Lost
        return bool(cancelling)

    def begin(self, work: Sequence[Unit]) -> None:
        """Store the units, once in the life of a run."""
        keys = [unit.key for unit in work]
        if not keys or len({*keys}) < len(keys) or max(map(len, keys)) > LONGEST_KEY:
            raise ValueError(f"a run has units, with keys of their own of {LONGEST_KEY} characters")
        rows = [
            {
                "run_id": self.run_id,
                "position": place,
                "key": unit.key,
                "payload": _json(unit.payload),
            }
            for place, unit in enumerate(work)
        ]
        with self._database.write() as connection:
            changed = {"total": len(rows), "sequence": runs.c.sequence + 1}
            if not connection.execute(self._mine(changed).where(runs.c.total == 0)).rowcount:
                raise Lost
            connection.execute(units.insert(), rows)

    def begun(self) -> bool:
        """Whether the units are stored."""
        with self._database.read() as connection:
            total = connection.execute(
                select(runs.c.total).where(runs.c.id == self.run_id)
            ).scalar_one_or_none()
        if total is None:
            raise Lost
        return bool(total)

    def pending(self) -> list[Unit]:
        """Units without a result, in order."""
        query = (
            select(units.c.key, units.c.payload)
            .where(units.c.run_id == self.run_id, units.c.result.is_(None))
            .order_by(units.c.position)
        )
        with self._database.read() as connection:
            return [Unit(row.key, json.loads(row.payload)) for row in connection.execute(query)]

    def result(self, key: str) -> Json | None:
        """The result of a unit; None where it has none."""
        query = select(units.c.result).where(units.c.run_id == self.run_id, units.c.key == key)
        with self._database.read() as connection:
            text = connection.execute(query).scalar_one_or_none()
        return None if text is None else json.loads(text)

    def store(self, unit: Unit, result: Json) -> None:
        """Store the result of a unit that has none. Raises ValueError for any other."""
        text = _json(result)
        step = self._mine({"done": runs.c.done + 1, "sequence": runs.c.sequence + 1})
        row = update(units).where(
            units.c.run_id == self.run_id, units.c.key == unit.key, units.c.result.is_(None)
        )
        with self._database.write() as connection:
            sequence = connection.execute(step.returning(runs.c.sequence)).scalar_one_or_none()
            if sequence is None:
                raise Lost
            if not connection.execute(row.values(result=text, sequence=sequence)).rowcount:
                raise ValueError(f"unit {unit.key!r} is not one, or has its result")

    def succeed(self, report: Json) -> None:
        """End the run with its report."""
        self._end(RunState.SUCCEEDED, report=_json(report))

    def fail(self, failure: RunFailure) -> None:
        """End the run because of an error."""
        self._end(RunState.FAILED, failure=_json(asdict(failure)))

    def cancelled(self) -> None:
        """End the run because somebody asked for it."""
        self._end(RunState.CANCELLED)

    def release(self) -> None:
        """Give the run up, for whoever comes next."""
        self._change({"state": RunState.QUEUED.value})

    def _end(self, state: RunState, **more: Any) -> None:
        self._change({"state": state.value, "ended": now(), "cancelling": False, **more})

    def _change(self, changed: Mapping[str, Any]) -> None:
        query = self._mine({**changed, "owner": "", "sequence": runs.c.sequence + 1})
        with self._database.write() as connection:
            if not connection.execute(query).rowcount:
                raise Lost

    def _mine(self, changed: Mapping[Any, Any]) -> Update:
        mine = update(runs).where(runs.c.id == self.run_id, runs.c.owner == self._owner)
        return mine.values(changed)


def _json(value: Json) -> str:
    # ASCII, so that any text fits any database; numbers that JSON has not are refused.
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
