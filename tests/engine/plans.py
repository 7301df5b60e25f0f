"""Short ways to write plans."""

from collections.abc import Sequence
from itertools import count

import numpy as np

from steer.intervene.operands import unit
from steer.intervene.plan import Component, Edit, Plan, PlannedArm, PlannedGate, PlannedIntervention
from steer.intervene.where import acts_before
from steer.store import content_hash
from steer.types import BASELINE, Phase, Sampling, Site, Where
from tests.helpers import TEXT

WIDTH = 32
_ids = count()


def vector(seed: int, norm: float = 8.0) -> np.ndarray:
    """A random direction of a given norm; shape (WIDTH,)."""
    draw = np.random.default_rng(seed).standard_normal(WIDTH)
    return (draw * norm / np.linalg.norm(draw)).astype(np.float32)


def prompt(seed: int, length: int) -> tuple[int, ...]:
    """Random token ids, none special."""
    return tuple(np.random.default_rng(seed).integers(3, 97, length).tolist())


def edit(
    op: str,
    directions: dict[Site, np.ndarray],
    params: tuple[float, ...] = (1.0,),
    phase: Phase = Phase.ALL,
    keep_norm: bool = False,
    must_fire: bool = False,
    gate: PlannedGate | None = None,
    where: Where | None = None,
) -> PlannedIntervention:
    """A planned intervention of one direction at each site."""
    edits = tuple(
        Edit(site, (Component(f"{content_hash({site: v})}/{op}", _row(op, v), params),))
        for site, v in directions.items()
    )
    return planned(op, edits, where or Where(phase), keep_norm, must_fire, gate)


def planned(
    op: str,
    edits: Sequence[Edit],
    where: Where = Where(),
    keep_norm: bool = False,
    must_fire: bool = False,
    gate: PlannedGate | None = None,
    prompt: Sequence[int] = (),
) -> PlannedIntervention:
    """A planned intervention, for a row with ``prompt``; without it, prompts are taken to be
    touched wherever the phase allows it."""
    if prompt:
        early = acts_before(where, prompt, TEXT.special, lambda: TEXT.stream((), special=True))
    else:
        early = where.phase in (Phase.PROMPT, Phase.ALL)
    return PlannedIntervention(
        op, "test", "sha256:test", tuple(edits), where, early, keep_norm, must_fire, gate
    )


def _row(op: str, v: np.ndarray) -> np.ndarray:
    return (unit(v) if op in ("project", "rotate") else v)[None]


def arm(
    name: str,
    ids: Sequence[int],
    *interventions: PlannedIntervention,
    forced: Sequence[int] = (),
    logit_bias: dict[int, float] | None = None,
) -> PlannedArm:
    """A planned arm."""
    return PlannedArm(name, tuple(ids), tuple(forced), interventions, logit_bias or {})


def plan(
    *arms: PlannedArm,
    samples: int = 1,
    measure: bool = True,
    deadline: float | None = None,
    background: bool = False,
    **sampling: object,
) -> Plan:
    """A plan of the given arms, greedy, going on after end tokens, 12 tokens unless told."""
    settings = Sampling(**({"max_tokens": 12, "ignore_eos": True} | sampling))
    return Plan(
        f"r{next(_ids)}",
        arms[0].prompt,
        arms,
        settings,
        samples,
        measure,
        deadline=deadline,
        background=background,
    )


def baseline(ids: Sequence[int]) -> PlannedArm:
    """The baseline arm of a prompt."""
    return arm(BASELINE, ids)


def score(ids: Sequence[int], continuation: Sequence[int], *arms: PlannedArm) -> Plan:
    """A scoring plan."""
    both = [baseline(ids), *arms]
    forced = tuple(
        PlannedArm(a.name, a.prompt, tuple(continuation), a.interventions, a.logit_bias)
        for a in both
    )
    sampling = Sampling(max_tokens=len(continuation), ignore_eos=True)
    return Plan(f"r{next(_ids)}", tuple(ids), forced, sampling, scoring=True)
