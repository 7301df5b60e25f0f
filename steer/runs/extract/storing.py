"""What an extraction leaves in the store, and its card."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from steer.runs.extract.examples import TRAIN, Examples
from steer.runs.extract.making import Made
from steer.runs.kind import Context
from steer.specs import ExtractSpec, ReadAt
from steer.store import Card, Item, Probe, ProbeTensors, Vector, Version
from steer.store.used import USED
from steer.types import Site, Where


def stored(
    spec: ExtractSpec,
    examples: Examples,
    made: Sequence[Made],
    norms: Mapping[Site, float],
    steered: Mapping[str, Any] | None,
    context: Context,
) -> Version:
    """Put what was made into the store. ``steered``: what ``steers`` says."""
    card = _card(spec, examples, made, norms, steered, context)
    item: Item
    if spec.as_probe:
        probes = {
            one.site: ProbeTensors(one.direction, np.array([one.bias], np.float32)) for one in made
        }
        item = Probe(spec.into, card, probes)
    else:
        directions = {one.site: one.direction for one in made}
        classes = {one.site: one.within for one in made}
        item = Vector(spec.into, directions, card, classes=classes)
    return context.store.add(item)


def _card(
    spec: ExtractSpec,
    examples: Examples,
    made: Sequence[Made],
    norms: Mapping[Site, float],
    steered: Mapping[str, Any] | None,
    context: Context,
) -> Card:
    model = context.model
    return Card(
        model=model.id,
        revision=model.revision,
        fingerprint=model.fingerprint,
        d_model=model.d_model,
        sites=tuple(one.site for one in made),
        kind="probe" if spec.as_probe else "direction",
        method=spec.method.value,
        description=spec.description or _description(spec, examples),
        parameters=_parameters(spec, examples),
        residual_norms=norms,
        where=spec.where or Where(),
        data_hash=examples.data_hash(),
        measured={
            "data": "the texts it was made from: each half by the direction of the other",
            "n": len(examples.positive) + len(examples.negative),
            "sites": {str(one.site): one.quality.to_dict() for one in made},
            **({"steers": dict(steered)} if steered else {}),
        },
        licence=spec.licence,
    )


def _parameters(spec: ExtractSpec, examples: Examples) -> dict[str, Any]:
    said: dict[str, Any] = {
        "position": spec.read_at.value,
        **({"event": spec.event, "offset": spec.offset} if spec.read_at is ReadAt.EVENT else {}),
        "pooling": spec.pooling.value,
        "paired": spec.pairs,
        "positive": len(examples.positive),
        "negative": len(examples.negative),
        "seed": spec.seed,
    }
    if not spec.as_probe:
        said |= {"normalise": spec.normalise, "scale": spec.scale}
    if examples.task is not None:
        said |= {"task": examples.task.name, USED: {examples.task.name: [TRAIN]}}
    return said


def _description(spec: ExtractSpec, examples: Examples) -> str:
    counts = f"{len(examples.positive)} positive and {len(examples.negative)} negative texts"
    source = f" of the task {examples.task.name}" if examples.task is not None else ""
    return f"{spec.method.value.replace('_', ' ').capitalize()} of {counts}{source}."
