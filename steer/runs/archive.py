"""The runs of a database as a run sees the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from steer.runs.kind import Json
from steer.runs.ledger import Ledger
from steer.specs import Run, RunSpec


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
