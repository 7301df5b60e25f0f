"""Runs that make vectors: by extraction from two classes of texts, or by training."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from steer.specs.counts import UpTo
from steer.specs.task import InlineTask
from steer.types import Phase, Prompt, Site, Where

SLOT = "{}"
"""Where a cue takes the prompt."""


class ExtractMethod(StrEnum):
    """How a direction comes out of two classes of activations: the difference of their means, the
    first principal component (of the differences of pairs, where there are pairs), the weights of a
    logistic regression, or linear discriminant analysis."""

    DIFFERENCE_OF_MEANS = "difference_of_means"
    PCA = "pca"
    PROBE = "probe"
    LDA = "lda"


class ReadAt(StrEnum):
    """Which tokens of a text are read. ``event``: one, so many tokens before an event. Where all of
    a prompt or text is read, special tokens are not."""

    LAST_PROMPT = "last_prompt"
    PROMPT = "prompt"
    ANSWER = "answer"
    SPANS = "spans"
    ALL = "all"
    EVENT = "event"


class Pooling(StrEnum):
    """What counts as one example: the mean over a text's tokens, each token, or the mean over each
    sentence's tokens."""

    MEAN = "mean"
    TOKEN = "token"
    SENTENCE = "sentence"


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that belongs to a class: a prompt and what follows it. ``spans``: half-open ranges of
    the tokens of both together, counted from 0; what ``ReadAt.SPANS`` reads."""

    prompt: Prompt
    answer: str = ""
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ExtractSpec:
    """Two classes of texts → a direction at each site, stored as ``into``.

    ``task``: instead of texts the first ``n`` problems of its split ``train``, cued prompts against
    plain ones. ``paired``: the i-th positive text belongs to the i-th negative one; None: with a
    task. ``event``: the text that ``ReadAt.EVENT`` looks for; ``offset``: tokens from its first
    token, 0 or below. ``sites``: none is after every block. ``normalise``: unit length before
    ``scale``. ``as_probe``: with the method ``PROBE`` store weights and bias, which gates can use.
    ``where``, ``description`` and ``licence`` are for the card. ``seed``: of the split into halves.
    """

    kind: ClassVar[str] = "extract"
    into: str
    positive: tuple[Passage, ...] = ()
    negative: tuple[Passage, ...] = ()
    task: str | InlineTask | None = None
    n: int = 500
    paired: bool | None = None
    method: ExtractMethod = ExtractMethod.DIFFERENCE_OF_MEANS
    read_at: ReadAt = ReadAt.LAST_PROMPT
    event: str = ""
    offset: int = -1
    pooling: Pooling = Pooling.MEAN
    sites: tuple[Site, ...] = ()
    normalise: bool = False
    scale: float = 1.0
    as_probe: bool = False
    where: Where | None = None
    description: str = ""
    licence: str = ""
    seed: int = 0

    @property
    def pairs(self) -> bool:
        """Whether the i-th positive text belongs to the i-th negative one."""
        return self.task is not None if self.paired is None else self.paired


class Objective(StrEnum):
    """What is climbed: the log-likelihood of demonstrations, or a task's reward of sampled
    completions, against the mean of a group's others (RLOO) or of the group (GRPO without division
    by the standard deviation)."""

    CROSS_ENTROPY = "cross_entropy"
    RLOO = "rloo"
    GRPO_NO_STD = "grpo_no_std"


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Something to imitate: a prompt and what is to follow it, without its end of sequence."""

    prompt: Prompt
    target: str


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """One vector per site, trained while the model is frozen, stored as ``into``.

    ``task``: its problems are rewarded, or their right traces demonstrated; or ``demonstrations``.
    ``swapped``: demonstrate the next problem's trace: a control. ``train_n``: problems of the split
    ``train``, or where a task has none of what ``select`` has besides those that choose; unless
    given what there is, up to 4000. ``phase``: where the vectors act: ``all``, ``decode``,
    ``generated`` or ``first``. ``batch``: prompts or demonstrations a step; ``group``: completions
    of each prompt. ``rate``: of Adam, in units of the residual stream; ``cosine``: brought to zero
    by one. ``max_tokens``: 0 is the task's own. Weights: ``kl`` (from the unsteered model, nats per
    token), ``retain`` (the same on what the task wants retained), ``norm`` (sum of squared norms),
    ``teacher`` (KL to the unsteered model under the task's cue, over its ``teacher_top_k``
    likeliest tokens). ``select_n`` problems of the split ``select`` choose the step that is kept,
    looked at every ``select_every`` steps; 0 keeps the last; unless given what the split has (a
    quarter of it, where the rest is trained on), up to 200. ``enough``: share of them that ends the
    training. ``patience``: steps without any variance of rewards until it is given up.
    """

    kind: ClassVar[str] = "train"
    into: str
    objective: Objective
    task: str | InlineTask | None = None
    demonstrations: tuple[Demonstration, ...] = ()
    swapped: bool = False
    train_n: int = UpTo(4000)
    sites: tuple[Site, ...] = ()
    phase: Phase = Phase.DECODE
    steps: int = 120
    batch: int = 48
    group: int = 8
    rate: float = 0.15
    cosine: bool = False
    temperature: float = 1.0
    max_tokens: int = 0
    kl: float = 0.0
    retain: float = 0.0
    norm: float = 0.0
    teacher: float = 0.0
    teacher_top_k: int = 20
    select_n: int = UpTo(200)
    select_every: int = 10
    enough: float | None = None
    patience: int = 5
    seed: int = 0
    description: str = ""
    licence: str = ""
