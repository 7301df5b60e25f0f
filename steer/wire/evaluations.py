"""Specs of evaluations."""

import steer.v1 as pb
from steer.specs import EvaluateSpec
from steer.wire.branches import build_branching, read_branching
from steer.wire.check import Check
from steer.wire.enums import CONTROLS
from steer.wire.revisions import build_revision, read_revision
from steer.wire.sampling import build_task_sampling, parse_sampling
from steer.wire.scalars import (
    EXACT,
    Scalars,
    anything,
    between,
    build_scalars,
    read_factors,
    read_scalars,
)
from steer.wire.tasks import build_task, require_task
from steer.wire.trials import MAX_SAMPLES, build_arm, read_arms

_SCALARS: Scalars = {
    "n": between(1, 1_000_000),
    "samples": between(1, MAX_SAMPLES),
    "seed": between(0, EXACT),
    "random_seeds": between(20, 10_000),
    "measure": anything,
}


def build_evaluate(spec: EvaluateSpec) -> pb.EvaluateSpec:
    """An evaluation; every default is written out."""
    return pb.EvaluateSpec(
        arms=[build_arm(arm) for arm in spec.arms],
        subject=spec.subject,
        controls=CONTROLS.build(spec.controls),
        split=spec.split,
        sampling=build_task_sampling(spec.sampling),
        strengths=spec.strengths,
        ceiling=spec.ceiling,
        swapped_target=spec.swapped_target,
        untaught=spec.untaught,
        allow_model_mismatch=spec.allow_model_mismatch,
        branching=None if spec.branching is None else build_branching(spec.branching),
        revision=None if spec.revision is None else build_revision(spec.revision),
        **build_task(spec.task),
        **build_scalars(spec, _SCALARS),
    )


def read_evaluate(message: pb.EvaluateSpec, check: Check) -> EvaluateSpec:
    """An evaluation with every default filled in."""
    default = EvaluateSpec("", ())
    return EvaluateSpec(
        task=require_task(message, message.WhichOneof("task"), check),
        arms=read_arms(message.arms, check),
        subject=message.subject,
        controls=CONTROLS.parse(message.controls, check.at("controls")),
        split=message.split or default.split,
        sampling=parse_sampling(message.sampling, check.at("sampling"), default.sampling),
        strengths=read_factors(message.strengths, check.at("strengths")),
        ceiling=message.ceiling,
        swapped_target=message.swapped_target,
        untaught=message.untaught,
        allow_model_mismatch=message.allow_model_mismatch,
        branching=(
            read_branching(message.branching, check.at("branching"))
            if message.HasField("branching")
            else None
        ),
        revision=(
            read_revision(message.revision, check.at("revision"))
            if message.HasField("revision")
            else None
        ),
        **read_scalars(message, _SCALARS, check),
    )
