"""Specs of sweeps."""

import steer.v1 as pb
from steer.specs import SweepSpec
from steer.wire.check import Check
from steer.wire.enums import POINT
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
from steer.wire.trials import build_arm, read_arms

_SCALARS: Scalars = {
    "select_n": between(1, 1_000_000),
    "report_n": between(1, 1_000_000),
    "random_seeds": between(20, 10_000),
    "compare_modes": anything,
    "seed": between(0, EXACT),
}


def build_sweep(spec: SweepSpec) -> pb.SweepSpec:
    """A sweep; every default is written out."""
    return pb.SweepSpec(
        arms=[build_arm(arm) for arm in spec.arms],
        layers=spec.layers,
        points=[POINT.build(point) for point in spec.points],
        strengths=spec.strengths,
        sampling=build_task_sampling(spec.sampling),
        allow_model_mismatch=spec.allow_model_mismatch,
        **build_task(spec.task),
        **build_scalars(spec, _SCALARS),
    )


def read_sweep(message: pb.SweepSpec, check: Check) -> SweepSpec:
    """A sweep with every default filled in."""
    default = SweepSpec("", ())
    points = [POINT.parse(one, check.at("points", i)) for i, one in enumerate(message.points)]
    spec = SweepSpec(
        task=require_task(message, message.WhichOneof("task"), check),
        arms=read_arms(message.arms, check),
        layers=check.at("layers").distinct(message.layers, "names a layer twice; give each once"),
        points=check.at("points").distinct(points, "names a point twice; give each once"),
        strengths=read_factors(message.strengths, check.at("strengths")) or default.strengths,
        sampling=parse_sampling(message.sampling, check.at("sampling"), default.sampling),
        allow_model_mismatch=message.allow_model_mismatch,
        **read_scalars(message, _SCALARS, check),
    )
    if not spec.arms:
        check.at("arms").fail("REQUIRED", "is empty; give at least one arm to vary")
    for index, arm in enumerate(spec.arms):
        if not (arm.interventions or arm.recipes):
            check.at("arms", index).fail("REQUIRED", "has no intervention to vary; give one")
    for index, factor in enumerate(spec.strengths):
        if factor == 0:
            check.at("strengths", index).fail("OUT_OF_RANGE", "is 0, which is the baseline")
    return spec
