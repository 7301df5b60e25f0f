"""Requests made from what a caller gives; unknown options are a TypeError."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

import steer.v1 as pb
from steer import wire
from steer.client.arms import Treatment, as_arm
from steer.client.checked import build
from steer.client.prompts import PromptLike, as_prompt, one_prompt
from steer.errors import InvalidRequest
from steer.types import STEERED, Arm, Message, Sampling, ScoreTrial, Trial


class ArmOptions(TypedDict, total=False):
    """The forms of a prompt, and the arms.

    ``messages``: chat messages ``{"role": …, "content": …}``, or ``token_ids``, instead of a text.
    ``arms``: recipes by the name of their arm. ``allow_model_mismatch``: accept vectors made for
    another model of the same width.
    """

    arms: Mapping[str, Treatment]
    messages: Iterable[Mapping[str, str] | Message]
    token_ids: Iterable[int]
    allow_model_mismatch: bool


class TrialOptions(ArmOptions, total=False):
    """Everything a trial can be told.

    ``baseline``: add the arm without interventions (default True). ``noise_floor``: add the first
    arm's interventions at zero strength. ``samples``: rows of each arm, 1 to 1024. ``measure``:
    compare each arm with the unsteered model (default True). The rest is ``steer.Sampling``:
    ``temperature`` 0 is greedy, ``logprobs`` 0 to 20 alternatives at each token.
    """

    baseline: bool
    noise_floor: bool
    samples: int
    measure: bool
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repetition_penalty: float
    max_tokens: int
    min_tokens: int
    stop: str | Iterable[str]
    stop_token_ids: Iterable[int]
    ignore_eos: bool
    seed: int
    logprobs: int
    logit_bias: Mapping[int, float]


def make_trial(
    prompt: PromptLike | None,
    intervention: Treatment | None,
    *,
    arms: Mapping[str, Treatment] | None = None,
    messages: Iterable[Mapping[str, str] | Message] | None = None,
    token_ids: Iterable[int] | None = None,
    baseline: bool = True,
    noise_floor: bool = False,
    samples: int = 1,
    measure: bool = True,
    allow_model_mismatch: bool = False,
    **sampling: Any,
) -> pb.Trial:
    """A trial; see TrialOptions."""
    trial = Trial(
        prompt=one_prompt(prompt, messages, token_ids),
        arms=_arms(intervention, arms),
        baseline=baseline,
        noise_floor=noise_floor,
        sampling=_sampling(**sampling),
        samples=samples,
        measure=measure,
        allow_model_mismatch=allow_model_mismatch,
    )
    return build(wire.build_trial, trial)


def make_score(
    prompt: PromptLike | None,
    continuation: str | Iterable[int],
    intervention: Treatment | None,
    *,
    arms: Mapping[str, Treatment] | None = None,
    messages: Iterable[Mapping[str, str] | Message] | None = None,
    token_ids: Iterable[int] | None = None,
    allow_model_mismatch: bool = False,
) -> pb.ScoreRequest:
    """A scoring request; see ArmOptions."""
    trial = ScoreTrial(
        prompt=one_prompt(prompt, messages, token_ids),
        continuation=as_prompt(continuation),
        arms=_arms(intervention, arms),
        allow_model_mismatch=allow_model_mismatch,
    )
    return build(wire.build_score, trial)


def _arms(single: Treatment | None, named: Mapping[str, Treatment] | None) -> tuple[Arm, ...]:
    given = dict(named or {})
    if single is not None:
        if STEERED in given:
            raise InvalidRequest(f"the arm {STEERED!r} is given twice: by position and in arms")
        given = {STEERED: single, **given}
    return tuple(as_arm(name, treatment) for name, treatment in given.items())


def _sampling(**given: Any) -> Sampling:
    stop = given.get("stop", ())
    return Sampling(**{**given, "stop": (stop,) if isinstance(stop, str) else tuple(stop)})
