"""From a spec to the arms of its evaluation."""

from collections.abc import Iterable
from dataclasses import replace

from steer.measure.records import MeasuredArm, Role
from steer.runs.evaluate.branching import branched_entries
from steer.runs.evaluate.controls import Controls
from steer.runs.evaluate.directions import Sources, scaled
from steer.runs.evaluate.entries import CUE, Cast, Entry
from steer.runs.evaluate.making import swapped_targets
from steer.runs.evaluate.revision import revised_entries
from steer.runs.kind import Context
from steer.specs import Controls as Wanted
from steer.specs import EvaluateSpec
from steer.tasks.task import Task
from steer.types import Arm, Intervention, OrthogonalTo, operand_of

SEEDS_APART = 1000
"""Between the random directions of evaluations with neighbouring seeds."""


def cast_of(spec: EvaluateSpec, task: Task, context: Context) -> Cast:
    """All arms. Raises what the planner would of vectors and recipes that are not there."""
    sources = Sources(context, spec.allow_model_mismatch)
    arms = [explicit_arm(arm, sources) for arm in spec.arms]
    subject = next((arm for arm in arms if arm.name == subject_name(spec)), None)
    entries = [_claim(arm, subject, spec, sources) for arm in arms]
    omitted: dict[Role, str] = {}
    needed: set[Role] = set()
    if spec.branching is not None:
        steered = [entry for entry in entries if entry.about.role is Role.STEERED]
        entries += branched_entries(steered)
    if spec.revision is not None:
        entries += revised_entries([entry for entry in entries if entry.about.role is Role.STEERED])
    if subject is not None:
        entries += [_dose(subject, factor) for factor in spec.strengths if factor != 1.0]
    if spec.controls is Wanted.STANDARD:
        entries.append(_cue(spec))
    if spec.controls is Wanted.STANDARD and subject is not None:
        first_seed = 1 + SEEDS_APART * spec.seed
        text = context.planner.text
        checked = _checks_traces(task, spec)
        claimed = {entry.name for entry in entries if entry.about.role is Role.STEERED}
        others = [arm for arm in arms if arm is not subject and arm.name in claimed]
        controls = Controls(
            subject, task.cues, checked, sources, text, spec.random_seeds, first_seed, others
        )
        more, omitted, needed = controls.all()
        entries += more
        # What the caller gave need not be there again.
        omitted = {role: why for role, why in omitted.items() if role not in _roles(entries)}
    return Cast(subject_name(spec), tuple(entries), omitted, frozenset(needed & omitted.keys()))


def _roles(entries: Iterable[Entry]) -> set[Role]:
    return {entry.about.role for entry in entries}


def _checks_traces(task: Task, spec: EvaluateSpec) -> bool:
    """Whether the task knows what a trace is: then even an empty completion has an empty one."""
    (item,) = task.items(spec.split, 1, spec.seed)
    return task.grade(item, "").trace is not None


def subject_name(spec: EvaluateSpec) -> str:
    """The arm that claims are about; empty when nothing is claimed."""
    return spec.subject or (spec.arms[0].name if spec.arms else "")


def explicit_arm(arm: Arm, sources: Sources) -> Arm:
    """The arm with its recipes' interventions written out and every strength said."""
    recipes = [sources.context.planner.recipes.get(name) for name in arm.recipes]
    given = [item for recipe in recipes for item in recipe.interventions]
    items = tuple(map(sources.explicit, (*given, *arm.interventions)))
    return replace(arm, interventions=items, recipes=())


def _claim(arm: Arm, subject: Arm | None, spec: EvaluateSpec, sources: Sources) -> Entry:
    if arm.name == spec.ceiling:
        return Entry(MeasuredArm(arm.name, Role.CEILING), arm)
    if subject is not None and _is_rest_of(arm, subject):
        cosines = sources.cosines(subject.interventions, arm.interventions)
        cosine = max(cosines.values(), key=abs)
        about = MeasuredArm(arm.name, Role.ORTHOGONAL, cosine=cosine, of=subject.name)
        return Entry(about, arm, cosines=cosines)
    swapped = arm.name == spec.swapped_target or swapped_targets(arm, sources.context)
    if subject is not None and arm is not subject and swapped:
        return Entry(MeasuredArm(arm.name, Role.SWAPPED_TARGET, of=subject.name), arm)
    # The subject is its own dose of 1.
    return Entry(MeasuredArm(arm.name, Role.STEERED, value=1.0 if arm is subject else None), arm)


def _is_rest_of(arm: Arm, subject: Arm) -> bool:
    """Whether every intervention of ``arm`` is that of ``subject`` without a component."""
    pairs = list(zip(arm.interventions, subject.interventions, strict=False))
    return (
        len(arm.interventions) == len(subject.interventions)
        and bool(pairs)
        and all(_rest_of(one, other) for one, other in pairs)
    )


def _rest_of(one: Intervention, other: Intervention) -> bool:
    operand = operand_of(one.op)
    return isinstance(operand, OrthogonalTo) and operand.of == operand_of(other.op)


def _dose(subject: Arm, factor: float) -> Entry:
    name = f"{subject.name}×{factor:g}"
    arm = replace(subject, name=name, interventions=scaled(subject.interventions, factor))
    return Entry(MeasuredArm(name, Role.DOSE, factor, of=subject.name), arm)


def _cue(spec: EvaluateSpec) -> Entry:
    role = Role.PROMPT_CUE if spec.ceiling else Role.CEILING
    return Entry(MeasuredArm(CUE, role), Arm(CUE), cued=True)
