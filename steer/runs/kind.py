"""What a kind of run is: a spec becomes units of work, units become results, results a report."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from steer.intervene.captures import Captured
from steer.intervene.plan import Plan
from steer.intervene.planner import Planner
from steer.specs import Run, Work
from steer.store import Store
from steer.types import Branches, Chunk, Finished, Measurement, ModelInfo, ScoredArm

T = TypeVar("T")
S_contra = TypeVar("S_contra", bound=Work, contravariant=True)

Json = Any
"""A value ``json.dumps`` takes without help, with finite numbers and text keys."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing that is done or not done: its result is stored whole, once.

    ``key``: unique in its run. ``payload``: what ``execute`` needs besides the spec. Stored when
    the run begins, so that a newer program resumes it with the units it began with.
    """

    key: str
    payload: Json = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything a plan brought: rows in the order of arms and samples, none of a scoring plan.
    ``captured``: what was read of each (arm, sample), where the plan reads activations.
    ``branches``: of a branching plan, an arm each."""

    plan: Plan
    rows: tuple[tuple[Chunk, Finished], ...]
    measurements: tuple[Measurement, ...]
    scores: tuple[ScoredArm, ...]
    captured: Mapping[tuple[str, int], Captured] = field(default_factory=dict)
    branches: tuple[Branches, ...] = ()


class Archive(Protocol):
    """The runs of the database that a run is in."""

    def run(self, run_id: str) -> Run:
        """A run with its spec. Raises NotFound."""

    def results(self, run_id: str) -> Mapping[str, Json]:
        """Its results by unit key, in the order of the units; none of a run that is not there."""


class Context(Protocol):
    """What a run works with: one model, one store, and the engine in the background."""

    @property
    def model(self) -> ModelInfo:
        """What is served."""

    @property
    def store(self) -> Store:
        """The store. Names in a stored spec are addresses of fixed versions."""

    @property
    def planner(self) -> Planner:
        """Makes plans; any request id will do, ``answers`` gives each plan its own."""

    @property
    def archive(self) -> Archive:
        """Other runs, to build on what they found."""

    def answers(self, plans: Iterable[tuple[T, Plan]]) -> Iterator[tuple[T, Answer]]:
        """Run plans, several at once, behind everything interactive; each answer when it is there,
        with the tag its plan came with. ``plans`` is read no faster than there is room.

        Raises Cancelled when the run is to stop (let it pass), and what a plan failed with.
        """

    def borrow(self, work: Callable[[Any], T]) -> T:
        """Call ``work`` with the served network (a ``PreTrainedModel``) on the engine's thread,
        where gradients can be taken; see ``Engine.borrow``. Everything interactive comes first, and
        waits while ``work`` is at it: borrow for a batch at a time.

        Raises Cancelled when the run is to stop (let it pass), and what ``work`` raises.
        """

    def done(self, key: str) -> Json | None:
        """The stored result of a unit of this run; None where it has none."""


class Kind(Protocol[S_contra]):
    """A kind of run: a row of ``runs.kinds.KINDS``. Stateless, called from several threads."""

    @property
    def name(self) -> str:
        """The ``kind`` of its specs."""

    def check(self, spec: S_contra, context: Context) -> None:
        """Judge a spec before it is stored.

        Raises InvalidRequest, NotFound or FailedPrecondition with every violation, fields named
        from ``spec.<kind>``.
        """

    def units(self, spec: S_contra, context: Context) -> Sequence[Unit]:
        """All units, the same for equal specs and models; at least one. Called once in a run's
        life."""

    def execute(
        self, spec: S_contra, units: Sequence[Unit], context: Context
    ) -> Iterator[tuple[Unit, Json]]:
        """Do these units, which are those without a result yet, in any order; a result each.

        A result is a JSON object. Its ``records``, where it has some, are flat objects: the rows of
        the table that the SDK makes of a run. What is yielded is stored before the next is asked
        for, at the latest a moment later.
        """

    def report(self, spec: S_contra, results: Mapping[str, Json]) -> Json:
        """The report of a run from the results by unit key, in the order of the units.

        A pure function; ``results`` may be those of a run that is not over yet, or none.
        """
