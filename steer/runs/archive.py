"""The runs of a database with what they are asked for, and what they say so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from steer.errors import FailedPrecondition
from steer.runs.kind import Json, Kind
from steer.runs.ledger import Ledger
from steer.specs import Run, RunReport, RunSpec


@dataclass(frozen=True)
class DatabaseArchive:
    """See ``runs.kind.Archive``. ``read``: makes a spec of its stored text. Raises DatabaseProblem
    where the database fails."""

    ledger: Ledger
    read: Callable[[str], RunSpec]

    def run(self, run_id: str) -> Run:
        """A run with its spec. Raises NotFound."""
        run = self.ledger.get(run_id)
        return replace(run, spec=self.read(self.ledger.spec(run_id)))

    def results(self, run_id: str) -> Mapping[str, Json]:
        """Its results by unit key, in the order of the units."""
        return self.ledger.results(run_id)

    def report(self, run_id: str, kinds: Mapping[str, Kind[Any]]) -> RunReport:
        """The stored report, or one of what there is so far. Raises NotFound, and
        FailedPrecondition for a kind that is not among ``kinds``."""
        run, report = self.ledger.get(run_id), self.ledger.report(run_id)
        if report is None:
            if run.kind not in kinds:
                message = f"run {run_id!r} is of the kind {run.kind!r}, which is not known here"
                raise FailedPrecondition(message, reason="UNKNOWN_KIND")
            spec = self.read(self.ledger.spec(run_id))
            report = kinds[run.kind].report(spec.work, self.ledger.results(run_id))
        return RunReport(run, report)
