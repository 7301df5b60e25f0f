"""What training can not be asked to do; everything wrong is told at once."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from steer.elicit.probing import carries_gradients
from steer.errors import FailedPrecondition, InvalidRequest, SteerError, Violations
from steer.intervene.ports import Text
from steer.intervene.shape import check_site
from steer.runs.kind import Context
from steer.runs.prompts import check_prompts
from steer.runs.tasks import load, task_field
from steer.runs.train.course import TOKENS
from steer.runs.train.material import Material
from steer.runs.train.steps import ADVANTAGES
from steer.specs import TrainSpec
from steer.store.address import check_name
from steer.tasks.task import SELECT, Item, Task

PATH = "spec.train"
SHOWN = 20
"""Demonstrations with something wrong that are told of one by one."""


def check(spec: TrainSpec, context: Context) -> None:
    """Raises InvalidRequest, NotFound or FailedPrecondition with every violation."""
    found, text = Violations(), context.planner.text
    try:
        check_name(spec.into)
    except InvalidRequest as error:
        found.add(f"{PATH}.into", error.reason, error.message)
    for index, site in enumerate(spec.sites):
        check_site(site, context.model, f"{PATH}.sites[{index}]", found)
    if len({*spec.sites}) < len(spec.sites):
        found.add(f"{PATH}.sites", "DUPLICATE", "has a site twice")
    of_task = f"{PATH}.{task_field(spec.task)}"
    task = None if spec.task is None else found.tried(partial(load, spec.task), of_task)
    for field, reason, message in (*_together(spec), *_of_task(spec, task, text)):
        found.add(f"{PATH}.{field}", reason, message)
    if spec.objective in ADVANTAGES and spec.group > context.model.max_rows:
        message = f"a group runs together; this server has rows for {context.model.max_rows}"
        found.add(f"{PATH}.group", "TOO_MANY_ROWS", message)
    if not found:
        material = Material(spec, task, text, None)
        _lengths(spec, material, context, found)
        check_prompts(material.selecting, (), context, (of_task, f"{PATH}.select_n"), found)
    found.raise_if_any()


def refuse_without_gradients(spec: TrainSpec, context: Context) -> None:
    """Raises FailedPrecondition when the served weights can not carry gradients to the sites."""
    why = context.borrow(partial(carries_gradients, sites=spec.sites))
    if why:
        raise FailedPrecondition(
            f"this model is served with weights that carry no gradients to "
            f"{', '.join(map(str, spec.sites))} ({why}); training needs them. Without gradients "
            "there are `extract`, with all of its methods, and `sweep`; or serve the model "
            "unquantised",
            reason="NO_GRADIENTS",
        )


Fault = tuple[str, str, str]


def _together(spec: TrainSpec) -> Iterator[Fault]:
    """What fields of the spec do not go together."""
    climbs = spec.objective in ADVANTAGES
    if spec.task is None and (climbs or not spec.demonstrations):
        yield (
            "task_name",
            "REQUIRED",
            "is empty: give a task" + (", which rewards" if climbs else ", or demonstrations"),
        )
    for field, given in (("demonstrations", spec.demonstrations), ("swapped", spec.swapped)):
        if climbs and given:
            yield field, "CONTRADICTORY", f"goes with cross_entropy, not with {spec.objective}"
    if climbs and spec.teacher:
        yield "teacher", "CONTRADICTORY", f"goes with cross_entropy, not with {spec.objective}"
    if spec.demonstrations and (spec.swapped or spec.teacher):
        field = "swapped" if spec.swapped else "teacher"
        yield field, "CONTRADICTORY", "goes with a task's traces, not with demonstrations"
    if spec.enough is not None and spec.task is None:
        yield "enough", "CONTRADICTORY", "is a share of a task's problems; there is no task"
    if spec.retain and spec.task is None:
        yield "retain", "CONTRADICTORY", "needs a task, which says what is to be retained"


def _of_task(spec: TrainSpec, task: Task | None, text: Text) -> Iterator[Fault]:
    """What the task has not."""
    if task is None:
        return
    problems: Sequence[Item] = ()
    try:
        task.items(SELECT, spec.select_n)
    except SteerError as error:
        yield "select_n", error.reason, error.message
        return
    try:
        problems = () if spec.demonstrations else Material(spec, task, text, None).problems
    except SteerError as error:
        yield "train_n", error.reason, error.message
    if spec.teacher and problems and task.cued(problems[0]) is None:
        yield "teacher", "NO_CUE", f"task {task.name} has no cue, under which it is asked"
    if spec.swapped and problems and not (len(problems) > 1 and problems[0].trace):
        yield "swapped", "NO_TRACES", f"task {task.name} has no traces to be swapped"
    if spec.retain and not task.retention():
        yield "retain", "NOTHING_RETAINED", f"task {task.name} does not say what to retain"
    if spec.enough is not None and not spec.select_n:
        yield "enough", "CONTRADICTORY", "is a share of select_n problems; there are none"


def _lengths(spec: TrainSpec, material: Material, context: Context, found: Violations) -> None:
    """Texts that can not be encoded, are empty, or are longer than the model's context."""
    shows = spec.objective not in ADVANTAGES
    count = len(spec.demonstrations or material.problems)
    longest = spec.max_tokens or (material.task.max_tokens if material.task else TOKENS)
    faults = (
        (place, fault)
        for place in range(count)
        for fault in _faults(material, place, 0 if shows else longest, shows, context)
    )
    for place, (part, reason, message) in islice(faults, SHOWN):
        inline = f"demonstrations[{place}].{part}"
        field = inline if spec.demonstrations else task_field(spec.task)
        found.add(f"{PATH}.{field}", reason, message)


def _faults(
    material: Material, place: int, room: int, shows: bool, context: Context
) -> Sequence[Fault]:
    try:
        prompt = material.prompt(place)
    except SteerError as error:
        return [("prompt", error.reason, error.message)]
    try:
        target = material.target(place) if shows else ()
    except SteerError as error:
        return [("target", error.reason, error.message)]
    most, whole = context.model.context_length, len(prompt) + len(target) + room
    if (shows and whole > most) or len(prompt) >= most:
        message = f"has {whole} tokens; the model's context is {most}"
        return [("target" if shows else "prompt", "TOO_LONG", message)]
    try:
        whole = len(target) + len(material.teacher(place) if material.spec.teacher else ())
    except SteerError as error:
        return [("teacher", error.reason, error.message)]
    if whole > most:
        message = f"has {whole} tokens under the task's cue; the model's context is {most}"
        return [("teacher", "TOO_LONG", message)]
    return []
