"""How large activations are where the vector will act: what relative strengths are fractions of."""

from collections.abc import Mapping, Sequence

import numpy as np

from steer.intervene.operands import Array
from steer.intervene.plan import Plan
from steer.runs.extract.examples import Example, Examples
from steer.runs.kind import Context
from steer.types import Arm, CaptureTrial, Prompt, Sampling, Site, Trial, Where

TEXTS = 16
TOKENS = 16
"""Generated after a prompt that has no answer, where no task says how many."""


def residual_norms(
    examples: Examples, sites: Sequence[Site], where: Where, context: Context
) -> dict[Site, float]:
    """Mean ‖h‖ of the unsteered model at sites, over the positions where a vector with this
    ``where`` acts on the first texts of the negative class and their answers, or what the model
    itself answers. Without the sites where there is no such position.

    The first position of a row counts for none: models park attention there, with activations that
    can be a hundred times as large as all others, also where no special token stands.
    """
    most = examples.task.max_tokens if examples.task else TOKENS
    texts = examples.negative[:TEXTS]
    plans = ((one.index, _plan(one, sites, where, most, context)) for one in texts)
    found: dict[int, Mapping[Site, tuple[float, int]]] = {}
    for index, answer in context.answers(plans):
        found[index] = {
            site: _sizes(positions, values)
            for captured in answer.captured.values()
            for site, (positions, values) in captured.activations.items()
        }
    norms = {}
    for site in sites:
        told = [found[index][site] for index in sorted(found) if site in found[index]]
        if count := sum(n for _, n in told):
            norms[site] = round(sum(size for size, _ in told) / count, 4)
    return norms


def _sizes(positions: Sequence[int], values: Array) -> tuple[float, int]:
    """Sum of ‖h‖ of a row, and over how many positions."""
    kept = values[[place for place, position in enumerate(positions) if position]]
    return float(np.linalg.norm(kept.astype(np.float64), axis=1).sum()), len(kept)


def _plan(
    example: Example, sites: Sequence[Site], where: Where, most: int, context: Context
) -> Plan:
    prompt = Prompt(token_ids=example.ids[: example.prompt_length])
    answer = example.ids[example.prompt_length :]
    if answer:
        arms: tuple[Arm, ...] = (Arm("answered", forced_prefix=Prompt(token_ids=answer)),)
    else:
        arms = ()
    trial = Trial(
        prompt, arms, baseline=not arms, sampling=Sampling(max_tokens=len(answer) or most)
    )
    return context.planner.capture(CaptureTrial(trial, tuple(sites), where), "")
