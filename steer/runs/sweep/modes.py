"""How alike plain and cued prompts look in each layer, by linear CKA at the last prompt token.

Source: Yang et al., arXiv 2507.18178: CKA between fast and slow mode by layer, of layer outputs and
of attention outputs. A correlation; what layers do is in the cells.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from steer.measure.cka import similarity
from steer.measure.plain import plain
from steer.runs.kind import Context, Json
from steer.specs import SweepSpec
from steer.tasks.task import SELECT, Task
from steer.types import (
    BASELINE,
    Arm,
    CaptureTrial,
    Phase,
    Point,
    Prompt,
    Sampling,
    Site,
    Trial,
    Where,
)

CUED = "cued"
LEAST = 4
"""Prompts below which nothing is compared."""


def modes(spec: SweepSpec, task: Task, context: Context) -> Json:
    """``{"modes": […]}``, a row for each site; none where the task has no cue."""
    items = task.items(SELECT, spec.select_n, spec.seed)
    pairs = [(item.prompt, cue) for item in items if (cue := task.cued(item)) is not None]
    if not spec.compare_modes or len(pairs) < LEAST:
        return {"modes": []}
    model = context.model
    points = [point for point in (Point.RESID_POST, Point.ATTN_OUT) if point in model.points]
    sites = tuple(Site(layer, point) for point in points for layer in range(model.layers))
    read = [captured for _, captured in sorted(_read(pairs, sites, context))]
    return {
        "modes": [
            {
                "layer": site.layer,
                "point": site.point.value,
                **plain(
                    similarity(
                        np.stack([mine[BASELINE][site] for mine in read]),
                        np.stack([mine[CUED][site] for mine in read]),
                        spec.seed,
                    )
                ),
            }
            for site in sites
        ]
    }


def _read(
    pairs: Sequence[tuple[Prompt, Prompt]], sites: tuple[Site, ...], context: Context
) -> Iterator[tuple[int, dict[str, dict[Site, Any]]]]:
    """By prompt: activations (d_model,) of both modes at the last prompt token, by site."""
    planner = context.planner
    plans = (
        (index, planner.capture(_trial(plain_prompt, cue, sites), ""))
        for index, (plain_prompt, cue) in enumerate(pairs)
    )
    for index, answer in context.answers(plans):
        yield (
            index,
            {
                arm: {site: values[-1] for site, (_, values) in captured.activations.items()}
                for (arm, _), captured in answer.captured.items()
            },
        )


def _trial(prompt: Prompt, cue: Prompt, sites: tuple[Site, ...]) -> CaptureTrial:
    trial = Trial(prompt, (Arm(CUED, prompt=cue),), sampling=Sampling(max_tokens=1))
    return CaptureTrial(trial, sites, Where(phase=Phase.FIRST))
