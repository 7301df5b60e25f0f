"""Rows and the job they belong to. No torch.

A row is a sequence whose tokens are known up to some length and computed up to another. Prefill,
decoding, forced prefixes, teacher forcing and shadows are all the same: a step computes some of
the pending tokens, and where nothing is known yet the sampler adds one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from steer.engine.base import Event, Failed, Sink, size
from steer.engine.text import RowText
from steer.errors import SteerError
from steer.intervene.plan import Plan, PlannedArm
from steer.intervene.where import Cursor
from steer.types import BASELINE, FinishReason, Receipt

ROUND = 64
"""Rows reserve positions in multiples of this. The rectangle then changes rarely, and all its
slots have the same alignment in memory, on which the last bit of a product can depend."""


WINDOW = 8 * 2**20
"""Bytes of captures that may wait for a caller before its trial pauses."""


class Kind(Enum):
    """``PREFIX`` computes a shared prompt up to P-1; ``SHADOW`` follows another row's tokens
    without interventions, to measure them."""

    PREFIX = auto()
    ARM = auto()
    SHADOW = auto()


@dataclass(eq=False)
class Row:
    """One sequence. ``limit``: how many tokens are ever computed; the last needs no logits.
    ``trunk``: of a branch, the row from whose distribution its first token is taken; its own arm's
    first branch, so that no two branches begin alike, whatever the rounding of their rows."""

    kind: Kind
    arm: PlannedArm
    sample: int
    tokens: list[int]
    prompt_length: int
    limit: int
    computed: int = 0
    slot: int = -1
    cached: int = 0
    active: Sequence[Any] = ()
    capture: Cursor | None = None
    uniforms: Sequence[float] = ()
    text: RowText | None = None
    reference: "Row | None" = None
    own_reference: bool = False
    trunk: "Row | None" = None
    finish: FinishReason | None = None
    receipts: tuple[Receipt, ...] = ()
    first_token_at: float = 0.0
    logprobs: list[float] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)
    baseline_logprobs: list[float] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)

    @property
    def pending(self) -> int:
        """Known tokens still to be computed."""
        return min(len(self.tokens), self.limit) - self.computed

    @property
    def generated(self) -> list[int]:
        """Tokens after the prompt, forced ones included."""
        return self.tokens[self.prompt_length :]

    @property
    def ended(self) -> bool:
        """Whether it has finished."""
        return self.finish is not None

    @property
    def suspect(self) -> bool:
        """Whether its keys and values may be non-finite: they are, or nobody has read any logits
        that depend on them yet."""
        return self.finish is FinishReason.DIVERGED or self.computed < self.prompt_length


@dataclass(eq=False)
class Prefix:
    """A prompt computed once for several rows."""

    row: Row
    children: list[Row]


@dataclass(eq=False)
class Job:
    """A plan at work."""

    plan: Plan
    sink: Sink
    context_length: int
    arrived: float
    admitted: float | None = None
    rows: list[Row] = field(default_factory=list)
    prefixes: list[Prefix] = field(default_factory=list)
    started: bool = False
    over: bool = False
    untaken: int = 0
    events: list[Event] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The request's id."""
        return self.plan.request_id

    @property
    def background(self) -> bool:
        """Whether it gives way to jobs that are not."""
        return self.plan.background

    @property
    def slots(self) -> int:
        """Most slots it ever takes: its rows and their shadows."""
        arms, samples = self.plan.arms, self.plan.samples
        measured = 0 if self.plan.scoring else sum(self.measures(arm) for arm in arms)
        return samples * (len(arms) + measured)

    @property
    def positions(self) -> int:
        """Positions its longest row needs, rounded up."""
        prompts = [self.plan.prompt, *(arm.prompt for arm in self.plan.arms)]
        longest = max(map(len, prompts)) + self.plan.sampling.max_tokens
        return round_up(min(longest, self.context_length))

    @property
    def paused(self) -> bool:
        """Whether its caller has to take some of its captures first."""
        return self.untaken > WINDOW

    def captured(self, event: Event) -> None:
        """Something was read for it."""
        self.untaken += size(event)
        self.events.append(event)

    def end(self, error: SteerError) -> None:
        """It is over, without an answer."""
        self.over = True
        self.events.append(Failed(error))

    def measures(self, arm: PlannedArm) -> bool:
        """Whether an arm's rows are compared with the unsteered model."""
        return self.plan.measure and arm.name != BASELINE

    def live(self) -> list[Row]:
        """Rows that hold a slot."""
        shadows = [row.reference for row in self.rows if row.own_reference and row.reference]
        candidates = [prefix.row for prefix in self.prefixes] + self.rows + shadows
        return [row for row in candidates if row.slot >= 0]


def round_up(length: int) -> int:
    """The next multiple of ``ROUND``."""
    return -(-length // ROUND) * ROUND


def prepare(job: Job) -> None:
    """Make a job's rows, and the prefixes they share."""
    plan = job.plan
    baselines: dict[int, Row] = {}
    by_key: dict[tuple[object, ...], Prefix] = {}
    for arm in plan.arms:
        for sample in range(plan.samples):
            row = _row(Kind.ARM, arm, sample, job)
            _join(by_key, arm, row, alone=plan.capture is not None)
            job.rows.append(row)
            row.trunk = job.rows[-1 - sample] if plan.branching else None
            if arm.name == BASELINE:
                baselines[sample] = row
    for row in job.rows:
        if job.measures(row.arm):
            row.reference = baselines.get(row.sample)
            if row.reference is None or (row.arm.forced and not plan.scoring):
                shadow = give_shadow(row, job)
                _join(by_key, shadow.arm, shadow)
    job.prefixes = list(by_key.values())


def give_shadow(row: Row, job: Job) -> Row:
    """Give a row a shadow of its own: the unsteered prompt, then the row's own tokens."""
    base = PlannedArm(BASELINE, job.plan.prompt, row.arm.forced, (), {})
    shadow = _row(Kind.SHADOW, base, row.sample, job)
    shadow.tokens = [*base.prompt, *row.generated]
    row.reference, row.own_reference = shadow, True
    return shadow


def _row(kind: Kind, arm: PlannedArm, sample: int, job: Job) -> Row:
    length = len(arm.prompt)
    most = min(length + job.plan.sampling.max_tokens, job.context_length)
    return Row(
        kind=kind,
        arm=arm,
        sample=sample,
        tokens=[*arm.prompt, *arm.forced][:most],
        prompt_length=length,
        limit=most - 1,
    )


def _join(
    by_key: dict[tuple[object, ...], Prefix], arm: PlannedArm, row: Row, alone: bool = False
) -> None:
    # ``alone``: what is read of a shared prompt would have to be told to all its rows.
    key = (*arm.prefix_key, arm.name, row.sample) if alone else arm.prefix_key
    if key not in by_key:
        by_key[key] = Prefix(_prefix(arm, row.sample), [])
    by_key[key].children.append(row)


def _prefix(arm: PlannedArm, sample: int) -> Row:
    length = len(arm.prompt) - 1
    touching = PlannedArm(arm.name, arm.prompt, (), arm.prompt_part, {})
    return Row(Kind.PREFIX, touching, sample, list(arm.prompt[:length]), len(arm.prompt), length)
