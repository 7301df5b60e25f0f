"""Specs of sweeps, made from what a caller gives."""

from collections.abc import Iterable, Mapping
from typing import Any

from steer import wire
from steer.client.arms import Treatment
from steer.client.checked import check, member
from steer.client.options import check_names
from steer.client.requests import SamplingOptions, arms_of, sampling_of
from steer.specs import InlineTask, RunSpec, SweepSpec
from steer.types import Point


class SweepOptions(SamplingOptions, total=False):
    """Everything a sweep can be told; see ``steer.SweepSpec``.

    ``arms``: recipes by the name of their arm, several ops against each other. ``layers``: 0-based
    decoder blocks, ``points``: such as ``resid_post``; without them where the vectors are stored
    for. ``max_tokens`` is the task's own unless given.
    """

    arms: Mapping[str, Treatment]
    layers: Iterable[int]
    points: Iterable[str]
    strengths: Iterable[float]
    select_n: int
    report_n: int
    random_seeds: int
    compare_modes: bool
    seed: int
    allow_model_mismatch: bool


_OWN = "select_n report_n random_seeds compare_modes seed allow_model_mismatch".split()


def make_sweep(
    task: str | InlineTask,
    intervention: Treatment | None = None,
    *,
    arms: Mapping[str, Treatment] | None = None,
    layers: Iterable[int] = (),
    points: Iterable[str] = (),
    strengths: Iterable[float] = (1.0,),
    **options: Any,
) -> SweepSpec:
    """The spec of a sweep. A single intervention is the arm ``steered``.

    Raises InvalidRequest for what can not be valid anywhere.
    """
    check_names(options, SweepOptions)
    own = {name: options.pop(name) for name in _OWN if name in options}
    spec = SweepSpec(
        task=task,
        arms=arms_of(intervention, arms),
        layers=tuple(layers),
        points=tuple(member(Point, point) for point in points),
        strengths=tuple(strengths),
        sampling=sampling_of(**{"max_tokens": 0, **options}),
        **own,
    )
    check(RunSpec(spec), wire.build_run_spec, wire.parse_run_spec)
    return spec
