"""What will be applied, resolved: the first message of an answer."""

from dataclasses import dataclass

from steer.types.branching import Branching
from steer.types.site import Site
from steer.types.trial import Sampling
from steer.types.where import Where


@dataclass(frozen=True, slots=True)
class GateDecision:
    """A gate that is decided once for a row: what was read, and whether it is open."""

    reading: float
    open: bool


@dataclass(frozen=True, slots=True)
class ResolvedIntervention:
    """What was really applied: absolute coefficients per site and the hash of the operand.

    ``gate``: the decision of a gate that is decided once.
    """

    op: str
    operand: str
    content_hash: str
    coefficients: tuple[tuple[Site, float], ...]
    where: Where
    gate: GateDecision | None = None


@dataclass(frozen=True, slots=True)
class ResolvedArm:
    """An arm after resolution. ``shares_prefill``: nothing in it touches positions before P-1, and
    its prompt is prefilled together with another arm's."""

    name: str
    prompt_token_ids: tuple[int, ...]
    forced_token_ids: tuple[int, ...]
    interventions: tuple[ResolvedIntervention, ...]
    shares_prefill: bool


@dataclass(frozen=True, slots=True)
class Started:
    """First message of an answer: everything that will be applied, resolved."""

    request_id: str
    model: str
    fingerprint: str
    sampling: Sampling
    samples: int
    arms: tuple[ResolvedArm, ...]
    branching: Branching | None = None
