"""The vocabulary as frozen dataclasses (docs/architecture.md, "Words"). No torch, no protobuf."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class Point(StrEnum):
    """Where in a decoder block. ``resid_post`` of layer L is the output of block L."""

    RESID_PRE = "resid_pre"
    RESID_MID = "resid_mid"
    RESID_POST = "resid_post"
    ATTN_OUT = "attn_out"
    MLP_OUT = "mlp_out"


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A place in the network: 0-based decoder block and point. Written ``resid_post.12``."""

    layer: int
    point: Point = Point.RESID_POST

    def __str__(self) -> str:
        return f"{self.point.value}.{self.layer}"

    @classmethod
    def parse(cls, text: str) -> "Site":
        """Read ``<point>.<layer>``. Raises ValueError on anything else."""
        point, _, layer = text.partition(".")
        if not layer.isdecimal():
            raise ValueError(f"not a site: {text!r} (want <point>.<layer>)")
        return cls(int(layer), Point(point))


class Unit(StrEnum):
    """What a strength is measured in."""

    RAW = "raw"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Strength:
    """How much: ``RAW`` multiplies the stored vector, ``RELATIVE`` is a fraction of mean ‖h‖."""

    value: float = 1.0
    unit: Unit = Unit.RAW


class Phase(StrEnum):
    """At which positions; P is the prompt length.

    ``prompt`` < P, ``generated`` >= P, ``decode`` >= P-1 (every position that predicts a generated
    token), ``first`` = P-1 alone, ``all``. ``generated`` never changes the first generated token.
    """

    PROMPT = "prompt"
    GENERATED = "generated"
    DECODE = "decode"
    FIRST = "first"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Range:
    """Half-open range of positions. None: no bound. Negative: P + bound, P the prompt length."""

    start: int | None = None
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """A stretch that the text of a row opens and closes: its decoded text from position 0, special
    tokens and prompt included, across token boundaries.

    Opens at the token after the one that completes ``text`` or a match of ``regex``; exactly one
    of them is given. Closes at the token that completes ``until``, which is outside, or after
    ``tokens`` tokens, whichever comes first; with neither it stays open. ``until`` is looked for
    after the text that opened it, so that both may be the same (a code fence). With ``tokens``,
    what opens it starts the count again when it comes while it is open. Once closed it may open
    again, by text that follows ``until``.

    ``regex`` (RE2 syntax: linear time, no lookaround, no backreferences; never the empty text) is
    matched against the text so far: from the end of the last match on, leftmost, at the first token
    at which it matches. The end of the text so far is an end for ``$`` and ``\\b``; text before the
    last match is still seen by ``^`` and ``\\b``. A match begins at most 1024 bytes (UTF-8) before
    the token that completes it; ``text``, ``regex`` and ``until`` are at most that long.
    """

    text: str = ""
    regex: str = ""
    until: str = ""
    tokens: int | None = None


class DecayShape(StrEnum):
    """How a multiplier falls with the number of tokens since the first touched one."""

    LINEAR = "linear"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class Decay:
    """``LINEAR``: 1 - n/tokens, at least 0. ``EXPONENTIAL``: halves every ``tokens`` tokens.

    n: positions of the sequence, touched or not, since the first touched one, whose multiplier is
    1. ``tokens`` is at least 1.
    """

    shape: DecayShape
    tokens: int


@dataclass(frozen=True, slots=True)
class Where:
    """At which tokens an intervention acts. All given conditions must hold.

    ``ranges``, ``markers``: in any of them. ``token_ids``: only at these; ``exclude_token_ids``:
    never at these, wherever they stand. Special tokens before position P-1 are left alone unless
    ``include_special_tokens``: they are attention sinks and template marks. At positions that
    predict a generated token they count like any other. ``every`` n: of the positions that meet all
    other conditions the 1st, (n+1)-th, (2n+1)-th, …; ``decay`` then scales those.
    """

    phase: Phase = Phase.ALL
    ranges: tuple[Range, ...] = ()
    token_ids: tuple[int, ...] = ()
    exclude_token_ids: tuple[int, ...] = ()
    include_special_tokens: bool = False
    markers: tuple[Marker, ...] = ()
    every: int = 1
    decay: Decay | None = None


# ---- operands -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """A vector of the server's store, by name, ``name@N`` or ``name@sha256:…``."""

    name: str


@dataclass(frozen=True, slots=True)
class Direction:
    """``data``: little-endian float32, ``len(data) // 4`` numbers. No site: the intervention's."""

    data: bytes
    site: Site | None = None


@dataclass(frozen=True, slots=True)
class Inline:
    """A vector sent with the call."""

    directions: tuple[Direction, ...]


@dataclass(frozen=True, slots=True)
class RandomLike:
    """An isotropic random direction with the norm of ``of`` at each of its sites; seeded."""

    of: "Operand"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class OrthogonalTo:
    """``of`` without its component along ``to``, at each site."""

    of: "Operand"
    to: "Operand"


@dataclass(frozen=True, slots=True)
class WithinClass:
    """Random direction from the card's within-class covariance, with the norm of ``of``."""

    of: "Operand"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Expression:
    """Arithmetic on stored vectors (``steer.expressions``): ``think - 0.5*hedge``."""

    text: str


Operand = Stored | Inline | RandomLike | OrthogonalTo | WithinClass | Expression

# ---- ops ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Add:
    """h + s·v."""

    name: ClassVar[str] = "add"
    operand: Operand


@dataclass(frozen=True, slots=True)
class Project:
    """h + s·(clip(h·v̂, low, high) - h·v̂)·v̂. ``low = high = 0`` ablates the direction."""

    name: ClassVar[str] = "project"
    operand: Operand
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Rotate:
    """Rotate h towards v̂ by s·``degrees`` (-180 to 180) in span(h, v̂), keeping its norm."""

    name: ClassVar[str] = "rotate"
    operand: Operand
    degrees: float


class FeatureMode(StrEnum):
    """What is done with a feature's activation."""

    SET = "set"
    SCALE = "scale"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class FeatureEdit:
    """One latent of a dictionary and its target."""

    index: int
    value: float
    mode: FeatureMode = FeatureMode.SET


@dataclass(frozen=True, slots=True)
class Feature:
    """h + s·Σ_f (t_f - a_f(h))·W_dec[f]: encode, edit, decode, with the error term kept.

    a_f is of h before any intervention at the site, which is the dictionary's own.
    """

    name: ClassVar[str] = "feature"
    dictionary: str
    edits: tuple[FeatureEdit, ...]


@dataclass(frozen=True, slots=True)
class LowRank:
    """h + Rᵀ(W h + b - R h) (ReFT, arXiv 2404.03592)."""

    name: ClassVar[str] = "low_rank"
    vector: str


@dataclass(frozen=True, slots=True)
class Replace:
    """h ← (1 - s·fraction)·h + s·fraction·source.

    The source is exactly one of: a direction (``operand``), what Capture kept (``capture_id``),
    the prompt's activations of another arm of the trial (``source_arm``). Of the latter two,
    ``source_position`` takes one position (negative: from the end of the source's prompt); None
    takes the source's same position for every touched one, and leaves alone what it has not.
    """

    name: ClassVar[str] = "replace"
    operand: Operand | None = None
    capture_id: str = ""
    source_arm: str = ""
    fraction: float = 1.0
    source_position: int | None = None


Op = Add | Project | Rotate | Feature | LowRank | Replace


class GateScope(StrEnum):
    """Once from the prompt's mean activation, once from its last token, or at every token."""

    PROMPT = "prompt"
    LAST = "last"
    TOKEN = "token"


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether an intervention acts, from an activation at an earlier or equal site.

    Exactly one of ``cosine``, ``probe`` and ``dictionary`` with ``feature`` is what is read. Scopes
    ``PROMPT`` and ``LAST`` read the unsteered prompt, so that the decision does not depend on the
    arm's other interventions; ``TOKEN`` reads the row itself. ``absolute`` drops the reading's
    sign.
    """

    site: Site
    threshold: float
    cosine: Operand | None = None
    probe: str = ""
    dictionary: str = ""
    feature: int | None = None
    below: bool = False
    scope: GateScope = GateScope.PROMPT
    absolute: bool = False


@dataclass(frozen=True, slots=True)
class Intervention:
    """Op + sites + strength + where + gate. ``None`` and ``()`` mean: as the vector's card says."""

    op: Op
    sites: tuple[Site, ...] = ()
    strength: Strength | None = None
    where: Where | None = None
    gate: Gate | None = None
    keep_norm: bool = False
    must_fire: bool = False


# ---- trials -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Exactly one of: text, chat messages (rendered by the model's own template), token ids."""

    text: str | None = None
    messages: tuple[Message, ...] = ()
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """Names and meanings as in vLLM and OpenAI. ``temperature`` 0 is greedy."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    max_tokens: int = 128
    min_tokens: int = 0
    stop: tuple[str, ...] = ()
    stop_token_ids: tuple[int, ...] = ()
    ignore_eos: bool = False
    seed: int = 0
    logprobs: int = 0
    logit_bias: Mapping[int, float] = field(default_factory=dict)


class Extractor(StrEnum):
    """How the answer is found in a completion: the whole text, the last number, the last choice
    letter, the last match of a regular expression (RE2), or the last line that is not empty."""

    EXACT = "exact"
    NUMBER = "number"
    CHOICE = "choice"
    REGEX = "regex"
    LAST_LINE = "last_line"


@dataclass(frozen=True, slots=True)
class Branching:
    """Each arm is branched over its ``k`` most likely first tokens; each branch goes on greedily
    (CoT-decoding, Wang and Zhou, arXiv 2402.10200). Sample i begins with the i-th; 0 is greedy.

    The first token is the one after the forced prefix. ``extractor``, ``pattern``: what of a
    branch's text is the answer, whose tokens its confidence is taken over.
    """

    k: int
    extractor: Extractor = Extractor.NUMBER
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Arm:
    """A named treatment of the prompt. Without interventions or overrides it is a baseline.

    ``recipes``: names of stored recipes, whose interventions come before ``interventions``.
    """

    name: str
    interventions: tuple[Intervention, ...] = ()
    forced_prefix: Prompt | None = None
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    prompt: Prompt | None = None
    recipes: tuple[str, ...] = ()


BASELINE = "baseline"
STEERED = "steered"
NOISE_FLOOR = "noise_floor"


@dataclass(frozen=True, slots=True)
class Trial:
    """One prompt × its arms × samples. The baseline is added first unless switched off.

    ``branching``: branches take the place of samples.
    """

    prompt: Prompt
    arms: tuple[Arm, ...] = ()
    baseline: bool = True
    noise_floor: bool = False
    sampling: Sampling = Sampling()
    samples: int = 1
    measure: bool = True
    allow_model_mismatch: bool = False
    branching: Branching | None = None


@dataclass(frozen=True, slots=True)
class ScoreTrial:
    """Teacher-forced: the log-probability of ``continuation`` after the prompt under each arm."""

    prompt: Prompt
    continuation: Prompt
    arms: tuple[Arm, ...] = ()
    allow_model_mismatch: bool = False


@dataclass(frozen=True, slots=True)
class FeatureReadout:
    """What to read of a dictionary at its own site: the ``top_k`` most active latents of each
    position, and those of ``indices`` whether active or not."""

    dictionary: str
    top_k: int = 0
    indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CaptureTrial:
    """A trial whose activations are read, after the interventions at each site.

    ``where``: at which positions of every row. ``keep``: hold them on the server for ``Replace``.
    """

    trial: Trial
    sites: tuple[Site, ...] = ()
    where: Where = Where()
    features: tuple[FeatureReadout, ...] = ()
    keep: bool = False


@dataclass(frozen=True, slots=True)
class StoredRecipe:
    """Interventions under a name. ``content_hash`` is filled in by the store."""

    name: str
    interventions: tuple[Intervention, ...]
    description: str = ""
    content_hash: str = ""


# ---- answers ------------------------------------------------------------------------------------


class FinishReason(StrEnum):
    """Why a row ended."""

    STOP = "stop"
    LENGTH = "length"
    STOP_SEQUENCE = "stop_sequence"
    TIME_LIMIT = "time_limit"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class GateReceipt:
    """What a gate did in one row: how often it was read and was open, and the mean reading."""

    readings: int
    opened: int
    mean_reading: float


@dataclass(frozen=True, slots=True)
class FeatureReceipt:
    """Mean activations of a latent over the touched positions, before the site's interventions and
    encoded again from what was written, in the dictionary's own units."""

    index: int
    mean_before: float
    mean_after: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of what one intervention did at one site in one row.

    ``tokens``: positions touched. ``mean_change``: mean over them of ‖Δ‖/‖h‖, both norms taken in
    float32 with h before the change; 0 when no token was touched. ``features``: of the op
    ``feature``, in the order of its edits.
    """

    intervention: int
    op: str
    operand: str
    content_hash: str
    site: Site
    coefficient: float
    tokens: int
    mean_change: float
    gate: GateReceipt | None = None
    features: tuple[FeatureReceipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the most likely tokens at a step."""

    token_id: int
    logprob: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts and times (seconds) of one row. ``cached_tokens`` were prefilled by another."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    queue_time: float = 0.0
    prefill_time: float = 0.0
    decode_time: float = 0.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """New tokens of one row. ``logprobs`` and ``ranks`` (1 = most likely) are of the row's own
    distribution, before temperature and filters; empty unless asked for, measured or branched.
    ``margins``: p(most likely) - p(second) at each token, 0 to 1; of branches alone."""

    arm: str
    sample: int
    token_ids: tuple[int, ...]
    text: str
    logprobs: tuple[float, ...] = ()
    ranks: tuple[int, ...] = ()
    alternatives: tuple[tuple[Alternative, ...], ...] = ()
    margins: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of an arm; its text is that of the arm's sample ``rank``.

    ``rank``: of its first token, 0 the most likely. ``logprob``: of its tokens from the first on,
    ``tokens`` of them, nats; None where the computation broke down. ``answer``: None when none is
    found in its text; ``span``: the generated tokens it is written in, half open, forced ones
    counted. ``confidence``: the mean of p(most likely) - p(second) over the span, None without one.
    """

    rank: int
    first_token: int | None
    tokens: int
    logprob: float | None
    answer: str | None = None
    span: tuple[int, int] | None = None
    confidence: float | None = None

    @property
    def mean_logprob(self) -> float | None:
        """Log-probability by length, nats per token."""
        return None if self.logprob is None else self.logprob / self.tokens


@dataclass(frozen=True, slots=True)
class BranchedAnswer:
    """An answer and the branches that give it, best first by confidence, which is summed up."""

    answer: str
    confidence: float
    ranks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """The rank of the branch that each rule chooses; None where nothing can be chosen.

    ``confidence``: the surest answer; ``aggregated``: the surest branch of the answer with the
    largest sum. ``logprob``, ``mean_logprob`` and ``random`` are controls: rules that know nothing
    of answers. Greedy decoding is rank 0. Of equals, the lowest rank.
    """

    confidence: int | None
    aggregated: int | None
    logprob: int | None
    mean_logprob: int | None
    random: int


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches of one arm by rank, the answers they give, best first, and what is chosen."""

    arm: str
    branches: tuple[Branch, ...]
    answers: tuple[BranchedAnswer, ...]
    choices: Choices


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of one row."""

    arm: str
    sample: int
    reason: FinishReason
    stop: str
    usage: Usage
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row against the unsteered model on the same tokens.

    ``first_divergence``: index of the first generated token that differs from the baseline arm's
    of the same sample; None when the texts are equal or there is no baseline arm. ``kl[i]``:
    KL(arm‖baseline) in nats of the next-token distributions at generated token i, along the arm's
    own tokens. ``baseline_logprobs[i]``: log-probability of the arm's token i under the unsteered
    model (nats).
    """

    arm: str
    sample: int
    first_divergence: int | None
    kl: tuple[float, ...]
    logprobs: tuple[float, ...]
    baseline_logprobs: tuple[float, ...]

    @property
    def mean_kl(self) -> float:
        """Mean of ``kl`` over generated tokens, nats per token; 0 when there is none."""
        return math.fsum(self.kl) / len(self.kl) if self.kl else 0.0


@dataclass(frozen=True, slots=True)
class CapturedActivations:
    """Activations of one row at one site; ``data``: little-endian float32, (positions, d_model)."""

    arm: str
    sample: int
    site: Site
    positions: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Latents:
    """Latents of one position and their activations, in the dictionary's own units."""

    indices: tuple[int, ...]
    activations: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CapturedFeatures:
    """Features of one row; one ``Latents`` for each position."""

    arm: str
    sample: int
    dictionary: str
    positions: tuple[int, ...]
    latents: tuple[Latents, ...]


@dataclass(frozen=True, slots=True)
class HeldCapture:
    """Activations of one row kept on the server, under the id ``Replace`` knows; size in bytes."""

    arm: str
    sample: int
    capture_id: str
    size: int


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


@dataclass(frozen=True, slots=True)
class ScoredArm:
    """Teacher-forced log-probabilities (nats) and ranks of the continuation under one arm."""

    name: str
    logprobs: tuple[float, ...]
    ranks: tuple[int, ...]
    kl: tuple[float, ...]
    receipts: tuple[Receipt, ...]

    @property
    def total(self) -> float:
        """Log-probability of the whole continuation, nats."""
        return math.fsum(self.logprobs)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is served."""

    id: str
    revision: str
    fingerprint: str
    architecture: str
    layers: int
    d_model: int
    vocab_size: int
    context_length: int
    parameters: int
    dtype: str
    device: str
    points: tuple[Point, ...]
    ops: tuple[str, ...]
    has_chat_template: bool
    max_rows: int
    kv_tokens: int
    server_version: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored vector near another: its name, and the cosine of the two directions."""

    name: str
    cosine: float


@dataclass(frozen=True, slots=True)
class LensToken:
    """A token under the logit lens. ``logit``: that for the direction less that for zero."""

    token_id: int
    logit: float
    piece: str = ""


@dataclass(frozen=True, slots=True)
class SiteStatistics:
    """What there is to say of a stored vector at one site.

    ``norm``: how large it is there; ``relative_norm``: the same over the mean residual norm, None
    where the card does not have that. ``nearest``: by falling cosine. ``top`` and ``bottom``: the
    tokens a direction raises and lowers most, the furthest first.
    """

    site: Site
    norm: float
    relative_norm: float | None = None
    nearest: tuple[Neighbour, ...] = ()
    top: tuple[LensToken, ...] = ()
    bottom: tuple[LensToken, ...] = ()


@dataclass(frozen=True, slots=True)
class VectorInfo:
    """A stored vector as listings show it; ``card`` is the whole card as plain JSON values.

    ``norms``: how large it is at each of ``sites``. ``version``: its number, and ``digest`` the
    hash of that version; 0 and empty for what is not stored. ``bundled``: shipped with the server.
    ``card`` and ``statistics`` are there when one vector was asked for.
    """

    name: str
    content_hash: str
    kind: str
    description: str
    model: str
    fingerprint: str
    d_model: int
    sites: tuple[Site, ...]
    norms: tuple[float, ...]
    method: str
    licence: str
    created: str
    card: Mapping[str, object] = field(default_factory=dict)
    version: int = 0
    digest: str = ""
    bundled: bool = False
    statistics: tuple[SiteStatistics, ...] = ()

    @property
    def address(self) -> str:
        """``name@sha256:…``, which means this version for ever."""
        return f"{self.name}@{self.digest}"


@dataclass(frozen=True, slots=True)
class Removed:
    """What a deletion did. ``removed``: versions that are no more, as ``name@number``.

    ``kept``: versions that their name no longer finds but their hash still does, because something
    refers to them; by address, who.
    """

    removed: tuple[str, ...]
    kept: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a store that is not as it was stored: where, and how."""

    where: str
    problem: str


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What checking a store found. ``versions``: how many were read to the last byte.

    ``leftovers``: files that interrupted writes left behind. They harm nothing, and go by
    themselves.
    """

    versions: int
    damage: tuple[Damage, ...]
    leftovers: tuple[str, ...]
