"""A plan: a trial with everything resolved, ready for an engine. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from steer.intervene.operands import Array
from steer.store import Dictionary
from steer.tasks.extract import Extractor
from steer.types import (
    Branching,
    GateDecision,
    GateScope,
    ModelInfo,
    ResolvedArm,
    ResolvedIntervention,
    Sampling,
    Site,
    Started,
    Where,
)


@dataclass(frozen=True)
class Component:
    """Rows of the bank (r, d_model) that an op works with, and its numbers, coefficient first.

    ``key`` identifies the content of the rows.
    """

    key: str
    rows: Array
    params: tuple[float, ...]


@dataclass(frozen=True)
class Edit:
    """One intervention at one site; the changes of its components add up.

    ``positions``: when given, component i acts at position ``positions[i]`` alone, and the edit
    nowhere else. ``dictionary``: of the op ``feature``; component i is latent ``latents[i]``.
    """

    site: Site
    components: tuple[Component, ...]
    positions: tuple[int, ...] | None = None
    dictionary: Dictionary | None = None
    latents: tuple[int, ...] = ()

    @property
    def coefficient(self) -> float:
        """The absolute coefficient, the same for every component."""
        return self.components[0].params[0]

    @cached_property
    def component_at(self) -> Mapping[int, int]:
        """Which component acts at each of ``positions``."""
        return {position: place for place, position in enumerate(self.positions or ())}

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for edits that do the same."""
        parts = tuple((component.key, component.params) for component in self.components)
        return (self.site, parts, self.positions)


@dataclass(frozen=True)
class PlannedGate:
    """A gate with everything resolved: ``row`` (d_model,) and ``params`` as its reading wants them.

    ``dictionary`` and ``latent``: of a feature reading. ``decision``: of the scopes that are
    decided once, before the row runs.
    """

    reading: str
    key: str
    site: Site
    row: Array
    params: tuple[float, ...]
    threshold: float
    below: bool
    absolute: bool
    scope: GateScope
    dictionary: Dictionary | None = None
    latent: int = 0
    decision: GateDecision | None = None

    def decided(self, reading: float) -> GateDecision:
        """What follows from a reading."""
        size = abs(reading) if self.absolute else reading
        opens = size < self.threshold if self.below else size > self.threshold
        return GateDecision(reading, opens)

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for gates that open at the same tokens."""
        return (self.reading, self.key, self.site, self.threshold, self.below, self.absolute)


@dataclass(frozen=True)
class PlannedIntervention:
    """An intervention with everything resolved. ``before_last``: it acts before position P-1 of
    its arm's prompt, so that the prompt's keys and values change. ``path``: the field of the
    request that asked for it."""

    op: str
    operand: str
    content_hash: str
    edits: tuple[Edit, ...]
    where: Where
    before_last: bool
    keep_norm: bool = False
    must_fire: bool = False
    gate: PlannedGate | None = None
    path: str = ""

    @property
    def closed(self) -> bool:
        """Whether its gate was decided, and is shut."""
        return self.gate is not None and self.gate.decision is not None and not self.open

    @property
    def on_prompt(self) -> bool:
        """Whether it does act before position P-1."""
        return self.before_last and not self.closed

    @property
    def open(self) -> bool:
        """Whether its gate was decided, and is open."""
        return self.gate is not None and self.gate.decision is not None and self.gate.decision.open

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal for interventions that do the same to the same tokens."""
        running = None if self.gate is None or self.gate.decision else self.gate.identity
        edits = tuple(edit.key for edit in self.edits)
        return (self.op, edits, self.where, self.keep_norm, running, self.closed)


@dataclass(frozen=True)
class PlannedArm:
    """An arm with token ids and resolved interventions."""

    name: str
    prompt: tuple[int, ...]
    forced: tuple[int, ...]
    interventions: tuple[PlannedIntervention, ...]
    logit_bias: Mapping[int, float]

    @property
    def prompt_part(self) -> tuple[PlannedIntervention, ...]:
        """The interventions that act before position P-1."""
        return tuple(item for item in self.interventions if item.on_prompt)

    @cached_property
    def prefix_key(self) -> tuple[object, ...]:
        """Arms with equal keys have equal keys and values at positions before P-1."""
        return (self.prompt, *(item.key for item in self.prompt_part))


@dataclass(frozen=True)
class Readout:
    """Latents to read at a dictionary's own site: the ``top_k`` most active, and ``indices``."""

    dictionary: Dictionary
    top_k: int
    indices: tuple[int, ...]


@dataclass(frozen=True)
class CapturePlan:
    """What is read of every row, after the interventions at each site; at which positions."""

    sites: tuple[Site, ...]
    features: tuple[Readout, ...]
    where: Where


@dataclass(frozen=True)
class PlannedBranching:
    """What was asked, and what finds an answer."""

    asked: Branching
    extractor: Extractor


@dataclass(frozen=True)
class Plan:
    """What the engine runs. ``prompt``: the trial's own, unsteered, which measurements refer to.
    ``scoring``: teacher-forced, nothing is sampled. ``capture``: what is read meanwhile.
    ``background``: nobody waits for it, so it gives way to what somebody waits for. ``branching``:
    sample i of an arm is the branch of its i-th most likely first token."""

    request_id: str
    prompt: tuple[int, ...]
    arms: tuple[PlannedArm, ...]
    sampling: Sampling
    samples: int = 1
    measure: bool = True
    scoring: bool = False
    deadline: float | None = None
    capture: CapturePlan | None = None
    background: bool = False
    branching: PlannedBranching | None = None

    @property
    def scored(self) -> bool:
        """Whether log-probabilities of the tokens are wanted."""
        asked = self.sampling.logprobs > 0 or self.branching is not None
        return asked or self.measure or self.scoring

    def started(self, model: ModelInfo) -> Started:
        """The first message of the answer."""
        prefixes = [arm.prefix_key for arm in self.arms]
        return Started(
            request_id=self.request_id,
            model=model.id,
            fingerprint=model.fingerprint,
            sampling=self.sampling,
            samples=self.samples,
            arms=tuple(
                ResolvedArm(
                    name=arm.name,
                    prompt_token_ids=arm.prompt,
                    forced_token_ids=arm.forced,
                    interventions=tuple(map(_resolved, arm.interventions)),
                    shares_prefill=prefixes.count(arm.prefix_key) > 1
                    and not arm.prompt_part
                    and self.capture is None,
                )
                for arm in self.arms
            ),
            branching=self.branching.asked if self.branching else None,
        )


def _resolved(item: PlannedIntervention) -> ResolvedIntervention:
    coefficients = tuple((edit.site, edit.coefficient) for edit in item.edits)
    decision = item.gate.decision if item.gate else None
    return ResolvedIntervention(
        item.op, item.operand, item.content_hash, coefficients, item.where, decision
    )
