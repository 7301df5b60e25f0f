"""What a training run leaves in the store, and its card."""

import hashlib
from dataclasses import fields
from typing import Any

from steer.runs.evaluate.making import SWAPPED, TARGETS
from steer.runs.kind import Json
from steer.runs.train.course import Course, vectors_of
from steer.runs.train.standing import Standing
from steer.runs.train.steps import ADVANTAGES
from steer.specs import TrainSpec
from steer.store import Card, Vector
from steer.store.used import USED
from steer.tasks.task import SELECT
from steer.types import Site

_TOLD = ("train_n steps batch rate cosine kl retain norm select_n select_every enough seed").split()
_OF_REWARDS = ("group", "temperature", "patience")
_OF_TEACHERS = ("teacher", "teacher_top_k")


def stored(course: Course, standing: Standing, begun: Json) -> Json:
    """Put the vector into the store. The result of the last unit."""
    spec, context = course.spec, course.context
    classes = {at: one for at, one in course.deployed.classes.items() if at in spec.sites}
    item = Vector(spec.into, vectors_of(standing), _card(course, standing, begun), classes=classes)
    version = context.store.add(item)
    return {
        "records": [],
        "stored": {
            "name": spec.into,
            "address": version.address,
            "kept_step": standing.kept.step,
            "card": version.card.to_dict(),
        },
    }


def _card(course: Course, standing: Standing, begun: Json) -> Card:
    spec, model = course.spec, course.context.model
    return Card(
        model=model.id,
        revision=model.revision,
        fingerprint=model.fingerprint,
        d_model=model.d_model,
        sites=tuple(sorted(spec.sites)),
        method=spec.objective.value,
        description=spec.description or _description(course),
        parameters=_parameters(course, standing),
        residual_norms={Site.parse(name): norm for name, norm in begun["norms"].items()},
        where=course.asking.where,
        data_hash=_data_hash(course),
        measured=_measured(course, standing, begun),
        licence=spec.licence,
    )


def _parameters(course: Course, standing: Standing) -> dict[str, Any]:
    spec, task = course.spec, course.material.task
    names = [*_TOLD, *(_OF_REWARDS if spec.objective in ADVANTAGES else ())]
    names += _OF_TEACHERS if spec.teacher else ()
    said: dict[str, Any] = {
        **{f.name: getattr(spec, f.name) for f in fields(TrainSpec) if f.name in names},
        "max_tokens": course.asking.max_tokens,
        "kept_step": standing.kept.step,
    }
    if standing.ended:
        said["ended"] = standing.ended
    if spec.objective not in ADVANTAGES:
        said[TARGETS] = _targets(spec)
    if task is not None:
        said |= {"task": task.name, USED: {task.name: course.material.used_splits}}
    return said


def _targets(spec: TrainSpec) -> str:
    if spec.demonstrations:
        return "demonstrations"
    return SWAPPED if spec.swapped else "gold trace"


def _measured(course: Course, standing: Standing, begun: Json) -> dict[str, Any]:
    """Shares in percent on the split that chose the step, which flatter it."""
    if standing.best is None:
        return {}
    look = course.looks.at(standing.best.vectors).to_dict()
    before = {name: begun["records"][0].get(name) for name in look}
    return {
        "split": SELECT,
        "n": len(course.material.selecting),
        "unit": "percent",
        **{name: round(100 * share, 2) for name, share in look.items()},
        **{
            f"unsteered_{name}": round(100 * share, 2)
            for name, share in before.items()
            if share is not None
        },
    }


def _data_hash(course: Course) -> str:
    """Of all token ids that training could see, in order."""
    digest, material = hashlib.sha256(), course.material
    shows = course.spec.objective not in ADVANTAGES
    for place in range(len(course.examples)):
        ids = material.prompt(place), material.target(place) if shows else ()
        digest.update(repr(ids).encode())
    return f"sha256:{digest.hexdigest()}"


def _description(course: Course) -> str:
    spec, task = course.spec, course.material.task
    how = (
        spec.objective.value.replace("_", " ").upper()
        if spec.objective in ADVANTAGES
        else ("Cross-entropy")
    )
    on = (
        f"{len(spec.demonstrations)} demonstrations"
        if spec.demonstrations
        else (f"{spec.train_n} problems of the task {task.name}" if task else "nothing")
    )
    return f"Trained by {how} on {on}."
