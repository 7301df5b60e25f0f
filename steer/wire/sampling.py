"""Sampling: presence, defaults and ranges in one table."""

import math
from collections.abc import Mapping
from dataclasses import replace

import steer.v1 as pb
from steer.types import Sampling
from steer.wire.check import Check
from steer.wire.scalars import Scalars, anything, between, build_scalars, read_scalars

MAX_LOGPROBS = 20

# Every scalar with presence, and what is asked of a given value.
_SCALARS: Scalars = {
    "temperature": between(0, math.inf),
    "top_p": between(0, 1, above=True),
    "top_k": anything,
    "min_p": between(0, 1),
    "repetition_penalty": between(0, math.inf, above=True),
    "max_tokens": lambda check, x: check.positive(x),
    "min_tokens": anything,
    "seed": anything,
    "logprobs": between(0, MAX_LOGPROBS),
}


def build_sampling(sampling: Sampling) -> pb.Sampling:
    """Sampling; every default is written out."""
    return pb.Sampling(
        **build_scalars(sampling, _SCALARS),
        stop=sampling.stop,
        stop_token_ids=sampling.stop_token_ids,
        ignore_eos=sampling.ignore_eos,
        logit_bias=sampling.logit_bias,
    )


def build_task_sampling(sampling: Sampling) -> pb.Sampling:
    """Sampling whose ``max_tokens``, where it is 0, is the task's own."""
    message = build_sampling(sampling)
    if not sampling.max_tokens:
        message.ClearField("max_tokens")
    return message


def parse_sampling(message: pb.Sampling, check: Check, default: Sampling = Sampling()) -> Sampling:
    """Sampling with every default filled in; ``max_tokens`` 0 in ``default`` is not known yet."""
    sampling = replace(
        default,
        **read_scalars(message, _SCALARS, check),
        stop=tuple(check.at("stop", i).require(text) for i, text in enumerate(message.stop)),
        stop_token_ids=tuple(message.stop_token_ids),
        ignore_eos=message.ignore_eos,
        logit_bias=parse_logit_bias(message.logit_bias, check),
    )
    if sampling.min_tokens > sampling.max_tokens > 0:
        check.at("min_tokens").fail(
            "CONTRADICTORY",
            f"is {sampling.min_tokens}; give at most max_tokens = {sampling.max_tokens}",
        )
    return sampling


def parse_logit_bias(given: Mapping[int, float], check: Check) -> dict[int, float]:
    """The field ``logit_bias`` of a message, by token id."""
    for token_id in sorted(given):
        check.at("logit_bias", token_id).finite(given[token_id])
    return dict(given)
