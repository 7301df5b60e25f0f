"""Runs that look for where and how strongly an intervention acts best."""

from dataclasses import dataclass
from typing import ClassVar

from steer.specs.counts import UpTo
from steer.specs.task import InlineTask
from steer.types import Arm, Point, Sampling


@dataclass(frozen=True, slots=True)
class SweepSpec:
    """Arms × layers × points × strengths on the split ``select``, the best cell on ``report``.

    ``arms``: what is varied; several are several ops. ``layers``, ``points``: none is those that
    the arms' vectors hold. ``strengths``: multipliers of the arms' own. ``select_n``, ``report_n``:
    problems of each split; unless given what it has, up to 200 and 500. ``random_seeds``: random
    directions of the best cell's norm.
    ``compare_modes``: compare activations of plain and cued prompts in each layer.
    ``sampling.max_tokens``: 0 is the task's own; ``sampling.seed`` is not used, ``seed`` is.
    """

    kind: ClassVar[str] = "sweep"
    task: str | InlineTask
    arms: tuple[Arm, ...]
    layers: tuple[int, ...] = ()
    points: tuple[Point, ...] = ()
    strengths: tuple[float, ...] = (1.0,)
    select_n: int = UpTo(200)
    report_n: int = UpTo(500)
    random_seeds: int = 20
    compare_modes: bool = True
    sampling: Sampling = Sampling(max_tokens=0)
    seed: int = 0
    allow_model_mismatch: bool = False
