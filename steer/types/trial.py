"""What a caller asks for: a prompt under several arms."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from steer.types.branching import Branching
from steer.types.intervention import Intervention


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
