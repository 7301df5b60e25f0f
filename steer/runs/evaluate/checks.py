"""What an evaluation can not be asked to do; everything wrong is told at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from steer.critiquing import check_form, revise_prompt
from steer.errors import FailedPrecondition, Violations
from steer.runs.evaluate import untaught
from steer.runs.evaluate.asking import max_tokens
from steer.runs.evaluate.branching import branched
from steer.runs.evaluate.cast import cast_of, subject_name
from steer.runs.evaluate.making import used_splits
from steer.runs.kind import Context
from steer.runs.prompts import check_prompts
from steer.runs.tasks import load, task_field
from steer.specs import Controls, EvaluateSpec
from steer.tasks.task import Item, Task
from steer.types import BASELINE, Trial

PATH = "spec.evaluate"


def check(spec: EvaluateSpec, context: Context) -> None:
    """Raises InvalidRequest, NotFound or FailedPrecondition with every violation."""
    found = Violations()
    task = _task(spec, found)
    _names(spec, found)
    _samples(spec, context, found)
    if spec.untaught:
        untaught.check(spec, context, PATH, found)
    if task is not None:
        _selection(spec, task, context, found)
        _plan(spec, task, context, found)
    found.raise_if_any()


def _task(spec: EvaluateSpec, found: Violations) -> Task | None:
    return found.tried(partial(load, spec.task), f"{PATH}.{task_field(spec.task)}")


def _names(spec: EvaluateSpec, found: Violations) -> None:
    names = [arm.name for arm in spec.arms]
    for field in ("subject", "ceiling", "swapped_target"):
        name = getattr(spec, field)
        if name and name not in names:
            known = ", ".join(names) or "none"
            found.add(f"{PATH}.{field}", "NO_SUCH_ARM", f"no arm {name!r}; there are {known}")
    for field in ("ceiling", "swapped_target"):
        if getattr(spec, field) and getattr(spec, field) == subject_name(spec):
            message = "is the subject, and can not be what it is compared with"
            found.add(f"{PATH}.{field}", "CONTRADICTORY", message)
    if spec.ceiling and spec.ceiling == spec.swapped_target:
        message = "is the ceiling, and can not be a control too"
        found.add(f"{PATH}.swapped_target", "CONTRADICTORY", message)
    if spec.controls is Controls.STANDARD and not names:
        message = "is empty; the standard controls are made from an arm"
        found.add(f"{PATH}.arms", "REQUIRED", message)


def _samples(spec: EvaluateSpec, context: Context, found: Violations) -> None:
    if spec.samples > 1 and spec.sampling.temperature == 0:
        message = "greedy samples are all the same; give a temperature above 0, or one sample"
        found.add(f"{PATH}.samples", "CONTRADICTORY", message)
    rows = context.model.max_rows
    if spec.branching is not None and spec.branching.k > rows:
        message = f"an arm's branches run together; this server has rows for {rows}"
        found.add(f"{PATH}.branching.k", "TOO_MANY_ROWS", message)
    most = rows // 2
    if spec.samples > most:
        message = f"an arm's samples run together; this server has rows for {most}"
        found.add(f"{PATH}.samples", "TOO_MANY_ROWS", message)


def _selection(spec: EvaluateSpec, task: Task, context: Context, found: Violations) -> None:
    """What a vector was chosen on can not say how good it is."""
    if spec.split not in task.splits:
        message = f"unknown split {spec.split!r}; there are {', '.join(task.splits)}"
        found.add(f"{PATH}.split", "NO_SUCH_SPLIT", message)
    for arm in spec.arms:
        # What is not there is for the planner to tell.
        used = Violations().tried(partial(used_splits, arm, context), "")
        for name, splits in (used or {}).items():
            if spec.split in (splits or {}).get(task.name, ()):
                message = (
                    f"{name!r} was trained or chosen on the split {spec.split!r}, by its card; "
                    "report on another"
                )
                found.add(f"{PATH}.split", "SELECTED_ON", message, FailedPrecondition)


def _plan(spec: EvaluateSpec, task: Task, context: Context, found: Violations) -> None:
    """Plan the first problem; then look at all problems, and at the arms that are added."""
    of_task, of_count = f"{PATH}.{task_field(spec.task)}", f"{PATH}.n"
    items = found.tried(partial(task.items, spec.split, spec.n, spec.seed), of_count)
    if not items:
        return
    trial = Trial(
        items[0].prompt,
        spec.arms,
        sampling=replace(spec.sampling, max_tokens=max_tokens(spec, task)),
        allow_model_mismatch=spec.allow_model_mismatch,
    )
    trials = [trial]
    if spec.branching is not None:
        trials.append(branched(spec, replace(trial, arms=())))
    written = partial(_written, of_task)
    planned = [
        found.tried(partial(context.planner.trial, one, ""), PATH, written) for one in trials
    ]
    if all(planned) and not found:
        check_prompts(items, spec.arms, context, (of_task, of_count), found)
        _revision(items, spec, task, context, found)
        _added(spec, task, context, found)


def _revision(
    items: Sequence[Item], spec: EvaluateSpec, task: Task, context: Context, found: Violations
) -> None:
    """Whether every problem can be gone on from, with room for all that may be said before."""
    if spec.revision is None:
        return
    path, templates = f"{PATH}.revision", spec.revision.templates
    for item in items:
        check_form(templates, item.prompt, found, f"{path}.", "_template")
    if found.under(path):
        return
    longest = context.model.context_length
    most = max_tokens(spec, task)
    said = most + (spec.revision.critique_tokens or most)

    def length(item: Item) -> int:
        prompt = revise_prompt(item.prompt, "", "", templates)
        return len(context.planner.text.encode(prompt, "")) + said

    lengths = found.tried(lambda: [length(item) for item in items], path) or ()
    too_long = sum(length + most > longest for length in lengths)
    if too_long:
        message = (
            f"{too_long} problems could fill the model's context of {longest} tokens with answer, "
            f"critique and revised answer; {max(lengths) + most} are needed: give fewer "
            "sampling.max_tokens or critique_tokens"
        )
        found.add(path, "TOO_LONG", message)


def _added(spec: EvaluateSpec, task: Task, context: Context, found: Violations) -> None:
    """The arms that are added need names of their own."""
    added = Counter(entry.name for entry in cast_of(spec, task, context).entries)
    if spec.untaught:
        added.update((untaught.UNTAUGHT, untaught.UNSTEERED))
    for index, arm in enumerate(spec.arms):
        if added[arm.name] > 1 or arm.name == BASELINE:
            message = f"{arm.name!r} is the name of an arm that the evaluation adds itself"
            found.add(f"{PATH}.arms[{index}].name", "RESERVED", message)


def _written(task: str, field: str) -> str:
    """Where the caller wrote what the planner finds in ``field``. ``task``: the task's field."""
    if field.startswith("trial.prompt"):
        return task
    return f"{PATH}.{field.removeprefix('trial.')}" if field.startswith("trial.") else field
