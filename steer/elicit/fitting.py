"""Vectors in training: steps until there are enough, the best kept by data set apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from steer.elicit.difference import Array
from steer.types import Site

Selection = Callable[[Mapping[Site, Array]], float]
"""`select(vectors)`: how good the vectors are on data kept apart; higher is better."""


class Fit(Protocol):
    """Something that moves vectors a step at a time."""

    def step(self) -> float:
        """One update; returns what is climbed, the mean over the step's data."""
        ...

    def arrays(self) -> dict[Site, Array]:
        """Copies of the vectors, float32 (d_model,) by site."""
        ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """steps: 1 or more. every: steps between calls of `select`; training stops once one returns
    `enough` or more."""

    steps: int
    every: int
    enough: float = math.inf


@dataclass(frozen=True, slots=True)
class Progress:
    """After one step. value: what is climbed, such as the mean reward. norm: ‖s‖ by site.
    selected: what `select` returned, None when it was not called at this step."""

    step: int
    value: float
    norm: Mapping[Site, float]
    selected: float | None


@dataclass(frozen=True, slots=True)
class Trained:
    """vectors: float32 (d_model,) by site, those of `step`: the best by `select`, else the
    last. history: one entry per step taken."""

    vectors: Mapping[Site, Array]
    step: int
    history: tuple[Progress, ...]


def fit(
    fitted: Fit,
    schedule: Schedule,
    select: Selection | None,
    progress: Callable[[Progress], None],
) -> Trained:
    """Take the steps of the schedule. progress: called after every one of them."""
    history: list[Progress] = []
    best, best_score = Trained({}, 0, ()), -math.inf
    for step in range(1, schedule.steps + 1):
        mean = fitted.step()
        due = step % schedule.every == 0 or step == schedule.steps
        vectors = fitted.arrays()
        score = select(vectors) if select is not None and due else None
        history.append(Progress(step, mean, _norms(vectors), score))
        progress(history[-1])
        if select is None or (score is not None and score > best_score):
            best, best_score = Trained(vectors, step, ()), score or 0.0
        if score is not None and score >= schedule.enough:
            break
    return replace(best, history=tuple(history))


def _norms(vectors: Mapping[Site, Array]) -> dict[Site, float]:
    return {at: float(np.linalg.norm(vector)) for at, vector in vectors.items()}
