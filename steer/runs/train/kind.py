"""The kind ``train``: one vector per site by cross-entropy or by rewards, with a full card."""

from collections.abc import Iterator, Mapping, Sequence

from steer.runs.kind import Context, Json, Unit
from steer.runs.train.checks import check, refuse_without_gradients
from steer.runs.train.course import Course
from steer.runs.train.report import report
from steer.runs.train.standing import Standing
from steer.runs.train.storing import stored
from steer.specs import TrainSpec

BEGIN, VECTOR = "begin", "vector"
"""Keys of the first unit and the last; between them are ``steps-<last step>``."""
CHECKPOINTS = 100
"""Most chunks of steps, each with a checkpoint."""


class Train:
    """See ``steer.runs.kind.Kind``."""

    name = TrainSpec.kind

    def check(self, spec: TrainSpec, context: Context) -> None:
        """Judge a spec."""
        check(spec, context)

    def units(self, spec: TrainSpec, context: Context) -> Sequence[Unit]:
        """The beginning, chunks of steps one after the other, and the vector."""
        refuse_without_gradients(spec, context)
        looks = -(-spec.steps // spec.select_every)
        size = spec.select_every * -(-looks // CHECKPOINTS)
        units, before = [Unit(BEGIN)], ""
        for begin in range(1, spec.steps + 1, size):
            end = min(begin + size - 1, spec.steps)
            payload = {"begin": begin, "end": end, "after": before}
            units.append(Unit(f"steps-{end}", payload))
            before = units[-1].key
        return [*units, Unit(VECTOR, {"after": before})]

    def execute(
        self, spec: TrainSpec, units: Sequence[Unit], context: Context
    ) -> Iterator[tuple[Unit, Json]]:
        """Go on from the last checkpoint."""
        course = Course(spec, context)
        begun: Json = context.done(BEGIN)
        standing: Standing | None = None
        for unit in units:
            if unit.key == BEGIN:
                begun = course.begin()
                yield unit, begun
                continue
            if standing is None:
                last = context.done(unit.payload["after"])
                standing = Standing.from_json(last["checkpoint"]) if last else course.start()
            if unit.key == VECTOR:
                yield unit, stored(course, standing, begun)
                continue
            payload = unit.payload
            result, standing = course.go(payload["begin"], payload["end"], standing, begun)
            yield unit, result

    def report(self, spec: TrainSpec, results: Mapping[str, Json]) -> Json:
        """The report so far."""
        return report(spec, results, VECTOR)
