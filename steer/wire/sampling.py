"""Sampling: presence, defaults and ranges in one table."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import steer.v1 as pb
from steer.types import Sampling
from steer.wire.check import Check

MAX_LOGPROBS = 20

# Every scalar with presence, and what is asked of a given value.
_SCALARS: Mapping[str, Callable[[Check, Any], Any]] = {
    "temperature": lambda check, x: check.within(x, 0, math.inf),
    "top_p": lambda check, x: check.within(x, 0, 1, above=True),
    "top_k": lambda check, x: x,
    "min_p": lambda check, x: check.within(x, 0, 1),
    "repetition_penalty": lambda check, x: check.within(x, 0, math.inf, above=True),
    "max_tokens": lambda check, x: check.positive(x),
    "min_tokens": lambda check, x: x,
    "seed": lambda check, x: x,
    "logprobs": lambda check, x: check.within(x, 0, MAX_LOGPROBS),
}


def build_sampling(sampling: Sampling) -> pb.Sampling:
    """Sampling; every default is written out."""
    return pb.Sampling(
        **{name: getattr(sampling, name) for name in _SCALARS},
        stop=sampling.stop,
        stop_token_ids=sampling.stop_token_ids,
        ignore_eos=sampling.ignore_eos,
        logit_bias=sampling.logit_bias,
    )


def parse_sampling(message: pb.Sampling, check: Check, default: Sampling = Sampling()) -> Sampling:
    """Sampling with every default filled in; ``max_tokens`` 0 in ``default`` is not known yet."""
    scalars = {
        name: accept(check.at(name), getattr(message, name))
        for name, accept in _SCALARS.items()
        if message.HasField(name)
    }
    sampling = replace(
        default,
        **scalars,
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
