"""A plan: a trial with everything resolved, ready for an engine. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass

from steer.intervene.operands import Array
from steer.intervene.where import touches_prompt
from steer.types import ModelInfo, ResolvedArm, ResolvedIntervention, Sampling, Site, Started, Where


@dataclass(frozen=True)
class Edit:
    """One intervention at one site. ``params``: the op's numbers, the coefficient first."""

    site: Site
    direction: Array
    params: tuple[float, ...]


@dataclass(frozen=True)
class PlannedIntervention:
    """An intervention with everything resolved."""

    op: str
    operand: str
    content_hash: str
    edits: tuple[Edit, ...]
    where: Where
    keep_norm: bool
    must_fire: bool

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for interventions that do the same to the same tokens."""
        sites = tuple((edit.site, edit.params) for edit in self.edits)
        return (self.op, self.content_hash, sites, self.where, self.keep_norm)


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
        return tuple(item for item in self.interventions if touches_prompt(item.where))

    @property
    def prefix_key(self) -> tuple[object, ...]:
        """Arms with equal keys have equal keys and values at positions before P-1."""
        return (self.prompt, *(item.key for item in self.prompt_part))


@dataclass(frozen=True)
class Plan:
    """What the engine runs. ``prompt``: the trial's own, unsteered, which measurements refer to.
    ``scoring``: teacher-forced, nothing is sampled."""

    request_id: str
    prompt: tuple[int, ...]
    arms: tuple[PlannedArm, ...]
    sampling: Sampling
    samples: int = 1
    measure: bool = True
    scoring: bool = False
    deadline: float | None = None

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
                    shares_prefill=prefixes.count(arm.prefix_key) > 1,
                )
                for arm in self.arms
            ),
        )


def _resolved(item: PlannedIntervention) -> ResolvedIntervention:
    coefficients = tuple((edit.site, edit.params[0]) for edit in item.edits)
    return ResolvedIntervention(item.op, item.operand, item.content_hash, coefficients, item.where)
