"""Requests made from what a caller gives; unknown options are a TypeError."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

import steer.v1 as pb
from steer import wire
from steer.client.arms import Treatment, as_arm
from steer.client.checked import build
from steer.client.options import check_names
from steer.client.prompts import PromptLike, as_prompt, one_prompt
from steer.client.sites import SiteLike, as_site
from steer.client.where import WhereLike
from steer.client.where import where as where_of
from steer.errors import InvalidRequest
from steer.types import (
    STEERED,
    Arm,
    Branching,
    CaptureTrial,
    FeatureReadout,
    Message,
    Point,
    Sampling,
    ScoreTrial,
    Trial,
)


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


class SamplingOptions(TypedDict, total=False):
    """How tokens are chosen: fields of ``steer.Sampling``. ``temperature`` 0 is greedy."""

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
    logit_bias: Mapping[int, float]


class TrialOptions(ArmOptions, SamplingOptions, total=False):
    """Everything a trial can be told.

    ``baseline``: add the arm without interventions (default True). ``noise_floor``: add the first
    arm's interventions at zero strength. ``samples``: rows of each arm, 1 to 1024. ``measure``:
    compare each arm with the unsteered model (default True). ``branches``: branch every arm over
    its most likely first tokens instead, so many of them, 2 to 1024, or a ``steer.Branching`` that
    also says how answers are found; what comes of it is ``ArmResult.branches``. ``seed`` and
    ``logprobs``, 0 to 20 alternatives at each token, are of ``steer.Sampling`` too.
    """

    baseline: bool
    noise_floor: bool
    samples: int
    measure: bool
    branches: int | Branching | None
    seed: int
    logprobs: int


class CaptureOptions(TrialOptions, total=False):
    """Everything a capture can be told, besides the trial; at least a site or a dictionary.

    ``layers`` (0-based), at ``point`` (default ``resid_post``), and ``sites`` (layers, (layer,
    point) pairs or ``steer.Site``): where activations are read, after the interventions there.
    ``features``: {name of a dictionary: how many of the most active latents, or the indices of
    latents}, or ``steer.FeatureReadout``s. ``where``: at which positions, as ``steer.where`` makes
    it, or a phase. ``keep``: hold the activations on the server for ``steer.patch(capture=…)``.
    ``max_tokens`` is 1 unless given, which reads the prompt alone: the last generated token is
    never computed. Nothing is measured.
    """

    layers: int | Iterable[int]
    point: str
    sites: Iterable[SiteLike]
    features: Mapping[str, int | Iterable[int]] | Iterable[FeatureReadout]
    where: WhereLike
    keep: bool


def make_trial(
    prompt: PromptLike | None, intervention: Treatment | None, **options: Any
) -> pb.Trial:
    """A trial; see TrialOptions."""
    check_names(options, TrialOptions)
    return build(wire.build_trial, _trial(prompt, intervention, **options))


def make_capture(
    prompt: PromptLike | None,
    intervention: Treatment | None,
    *,
    layers: int | Iterable[int] = (),
    point: str = Point.RESID_POST,
    sites: Iterable[SiteLike] = (),
    features: Mapping[str, int | Iterable[int]] | Iterable[FeatureReadout] = (),
    where: WhereLike | None = None,
    keep: bool = False,
    **trial: Any,
) -> pb.CaptureRequest:
    """A capture; see CaptureOptions."""
    check_names(trial, CaptureOptions)
    given = (layers,) if isinstance(layers, int) else layers
    capture = CaptureTrial(
        trial=_trial(prompt, intervention, **{"max_tokens": 1, **trial, "measure": False}),
        sites=tuple(as_site(one, point) for one in (*given, *sites)),
        where=where_of(where),
        features=tuple(_readouts(features)),
        keep=keep,
    )
    return build(wire.build_capture, capture)


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
        arms=arms_of(intervention, arms),
        allow_model_mismatch=allow_model_mismatch,
    )
    return build(wire.build_score, trial)


def _trial(
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
    branches: int | Branching | None = None,
    **sampling: Any,
) -> Trial:
    return Trial(
        prompt=one_prompt(prompt, messages, token_ids),
        arms=arms_of(intervention, arms),
        baseline=baseline,
        noise_floor=noise_floor,
        sampling=sampling_of(**sampling),
        samples=samples,
        measure=measure,
        allow_model_mismatch=allow_model_mismatch,
        branching=branching_of(branches),
    )


def branching_of(branches: int | Branching | None) -> Branching | None:
    """A branching as callers write it."""
    return Branching(branches) if isinstance(branches, int) else branches


def arms_of(single: Treatment | None, named: Mapping[str, Treatment] | None) -> tuple[Arm, ...]:
    """The arm ``steered`` of a single treatment, then those that have names."""
    given = dict(named or {})
    if single is not None:
        if STEERED in given:
            raise InvalidRequest(f"the arm {STEERED!r} is given twice: by position and in arms")
        given = {STEERED: single, **given}
    return tuple(as_arm(name, treatment) for name, treatment in given.items())


def _readouts(
    given: Mapping[str, int | Iterable[int]] | Iterable[FeatureReadout],
) -> list[FeatureReadout]:
    if not isinstance(given, Mapping):
        return list(given)
    return [
        FeatureReadout(name, top_k=wanted)
        if isinstance(wanted, int)
        else FeatureReadout(name, indices=tuple(wanted))
        for name, wanted in given.items()
    ]


def sampling_of(**given: Any) -> Sampling:
    """Sampling as callers write it."""
    stop = given.get("stop", ())
    return Sampling(**{**given, "stop": (stop,) if isinstance(stop, str) else tuple(stop)})
