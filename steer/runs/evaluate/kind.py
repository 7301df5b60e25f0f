"""The kind ``evaluate``: task × arms × samples, with the controls that say what a number means."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from steer.errors import FailedPrecondition
from steer.measure.records import Role
from steer.runs.evaluate import untaught
from steer.runs.evaluate.asking import Asking
from steer.runs.evaluate.cast import cast_of
from steer.runs.evaluate.checks import check
from steer.runs.evaluate.directions import operands
from steer.runs.evaluate.entries import CAST, Cast
from steer.runs.evaluate.flow import Flow, Flows
from steer.runs.evaluate.gain import gain_of
from steer.runs.evaluate.making import used_splits
from steer.runs.evaluate.piece import Pieces
from steer.runs.evaluate.report import report
from steer.runs.evaluate.revision import Reviser
from steer.runs.evaluate.traces import Writer
from steer.runs.kind import Context, Json, Unit
from steer.runs.tasks import load
from steer.specs import EvaluateSpec, Revision
from steer.tasks.task import REPORT, SELECT, Item, Task
from steer.types import Inline

ITEMS = 8
"""Problems of a unit: enough for one to get the trace of another."""
EXAMPLES = 6
"""Problems whose texts are kept."""
SHARE = 4
"""A trial takes at most this part of the server's rows, so that several run at once."""


class Evaluate:
    """See ``steer.runs.kind.Kind``."""

    name = EvaluateSpec.kind

    def check(self, spec: EvaluateSpec, context: Context) -> None:
        """Judge a spec."""
        check(spec, context)

    def units(self, spec: EvaluateSpec, context: Context) -> Sequence[Unit]:
        """The cast, then problems and what has to be retained, a few at a time. What is drawn is
        written down, so that it stays the same when a task's generator changes."""
        task = load(spec.task)
        problems = [item.id for item in task.items(spec.split, spec.n, spec.seed)]
        retention = [item.id for item in task.retention()]
        return [
            Unit(CAST),
            *_units("problems", problems),
            *_units("retention", retention),
        ]

    def execute(
        self, spec: EvaluateSpec, units: Sequence[Unit], context: Context
    ) -> Iterator[tuple[Unit, Json]]:
        """Do the units; items of several are at work at once."""
        task = load(spec.task)
        cast = cast_of(spec, task, context)
        work = [unit for unit in units if unit.key != CAST]
        yield from ((unit, _told(spec, task, cast, context)) for unit in units if unit.key == CAST)
        pieces = _pieces(spec, task, cast, context)
        items = {item.id: item for item in task.items(spec.split, spec.n, spec.seed)}
        retention = {item.id: item for item in task.retention()}

        def flow(unit: Unit) -> Flow[Json]:
            payload = unit.payload
            if payload["what"] == "retention":
                return pieces.retained(_found(payload["items"], retention, task))
            shown = max(0, EXAMPLES - payload["begin"])
            return pieces.problems(_found(payload["items"], items, task), shown)

        yield from Flows(((unit, flow(unit)) for unit in work), context).run()

    def report(self, spec: EvaluateSpec, results: Mapping[str, Json]) -> Json:
        """The report so far."""
        return report(spec, results)


def _units(what: str, ids: Sequence[str]) -> Iterator[Unit]:
    for begin in range(0, len(ids), ITEMS):
        payload = {"what": what, "begin": begin, "items": list(ids[begin : begin + ITEMS])}
        yield Unit(f"{what}-{begin}", payload)


def _found(ids: Sequence[str], items: Mapping[str, Item], task: Task) -> list[Item]:
    lost = list(islice((one for one in ids if one not in items), 3))
    if lost:
        raise FailedPrecondition(
            f"task {task.name} no longer has the problems this run began with: {', '.join(lost)}",
            reason="TASK_CHANGED",
        )
    return [items[one] for one in ids]


def _told(spec: EvaluateSpec, task: Task, cast: Cast, context: Context) -> Json:
    """What the report says besides numbers."""
    model = context.model
    told = {
        **cast.to_dict(),
        "task": {"name": task.name, "description": task.description, "choices": task.choices},
        "model": {"id": model.id, "revision": model.revision, "fingerprint": model.fingerprint},
        "retention_n": len(task.retention()),
        "warnings": list(_warnings(spec, context)),
    }
    if not spec.untaught:
        return {"records": [], CAST: told}
    told["arms"] += untaught.arms(spec)
    told["untaught"] = untaught.told(spec, context)
    return {"records": list(untaught.records(spec, context)), CAST: told}


def _warnings(spec: EvaluateSpec, context: Context) -> Iterator[str]:
    used = {name: of for arm in spec.arms for name, of in used_splits(arm, context).items()}
    for name, splits in used.items():
        if splits is None:
            yield f"the card of {name} does not say which problems it was trained and chosen on"
    given = (one for arm in spec.arms for one in operands(arm.interventions))
    if any(isinstance(one, Inline) for one in given):
        yield "a vector sent with the call has no card to say which problems it was chosen on"
    if spec.arms and spec.split == SELECT:
        yield (
            f"these are problems of the split {SELECT}, which vectors, layers and strengths are "
            f"chosen on: what is told of them flatters; report on {REPORT}"
        )


def _pieces(spec: EvaluateSpec, task: Task, cast: Cast, context: Context) -> Pieces:
    writer = Writer(task, context.planner.text)
    asking = Asking(spec, task, max(1, context.model.max_rows // SHARE))
    reviser = Reviser(task, cast.chosen({Role.REVISED}), asking, spec.revision or Revision())
    return Pieces(task, cast, asking, writer, gain_of(spec, cast, asking, writer), reviser)
