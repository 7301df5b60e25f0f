"""Where the runs of a server are kept, and what executes them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steer import wire
from steer.errors import FailedPrecondition, SteerError
from steer.runs.archive import DatabaseArchive
from steer.runs.background import Background
from steer.runs.database import Database
from steer.runs.faults import DatabaseProblem
from steer.runs.kind import Kind
from steer.runs.kinds import KINDS
from steer.runs.ledger import Ledger
from steer.runs.worker import Worker
from steer.server.core import Core
from steer.server.settings import Settings
from steer.specs import RUNS_FILE
from steer.store import Store
from steer.store.files import LocalFiles, open_files
from steer.store.overlay import user_folder

log = logging.getLogger("steer.server")


@dataclass(frozen=True)
class RunOffice:
    """Stored runs beside a loaded model."""

    database: Database
    ledger: Ledger
    worker: Worker
    core: Core
    kinds: Mapping[str, Kind[Any]]

    @classmethod
    def begin(
        cls, database: Database | SteerError, core: Core, lease: float
    ) -> "RunOffice | SteerError":
        """Start to execute what is stored; without a database nothing is."""
        if isinstance(database, SteerError):
            return database
        worker = Worker(database, KINDS, core.engine, core.planner, wire.run_spec_from_json, lease)
        return cls(database, Ledger(database), worker, core, KINDS)

    @property
    def archive(self) -> DatabaseArchive:
        """Runs with their specs."""
        return DatabaseArchive(self.ledger, wire.run_spec_from_json)

    @property
    def context(self) -> Background:
        """What a spec is judged with."""
        return Background(self.core.engine, self.core.planner, archive=self.archive)


def open_database(settings: Settings, store: Store) -> Database | SteerError:
    """The database that is asked for; raises when it can not be used.

    When none is asked for, the store's own; when that can not be used, the reason.
    """
    if settings.database is not None:
        return Database(settings.database)
    place = _own(store)
    try:
        return Database(place)
    except (DatabaseProblem, FailedPrecondition) as error:
        log.warning("there are no runs on this server: %s", error.message)
        return FailedPrecondition(f"{error.message}; start the server with --database")


def _own(store: Store) -> Path:
    files = open_files(store.root)
    if isinstance(files, LocalFiles):
        return files.root / RUNS_FILE
    return user_folder() / RUNS_FILE
