"""Trials: prompts, arms, and the two requests that carry them."""

import re
from collections.abc import Iterable

import steer.v1 as pb
from steer.types import BASELINE, NOISE_FLOOR, Arm, Message, Prompt, ScoreTrial, Trial
from steer.wire.branches import build_branching, read_branching
from steer.wire.check import Check
from steer.wire.interventions import build_intervention, parse_intervention
from steer.wire.sampling import build_sampling, parse_logit_bias, parse_sampling

MAX_SAMPLES = 1024
_ARM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,79}")
_RESERVED = (BASELINE, NOISE_FLOOR)


def build_prompt(prompt: Prompt) -> pb.Prompt:
    """A prompt in the form it has."""
    if prompt.messages:
        chat = [pb.ChatMessage(role=m.role, content=m.content) for m in prompt.messages]
        return pb.Prompt(chat=pb.Chat(messages=chat))
    if prompt.token_ids:
        return pb.Prompt(tokens=pb.Tokens(ids=prompt.token_ids))
    return pb.Prompt(text=prompt.text)


def read_prompt(message: pb.Prompt, check: Check, *, chat: bool = True) -> Prompt:
    """A prompt. Without ``chat`` it must be text or token ids."""
    match message.WhichOneof("input"):
        case "text":
            return Prompt(text=check.at("text").require(message.text))
        case "tokens":
            if not message.tokens.ids:
                check.at("tokens.ids").fail("REQUIRED", "is empty; give at least one token id")
            return Prompt(token_ids=tuple(message.tokens.ids))
        case "chat" if chat:
            return Prompt(messages=_read_chat(message.chat, check.at("chat")))
    forms = "text, chat or tokens" if chat else "text or tokens"
    check.fail("REQUIRED", f"has no usable input; give one of {forms}")
    return Prompt()


def _read_chat(message: pb.Chat, check: Check) -> tuple[Message, ...]:
    if not message.messages:
        check.at("messages").fail("REQUIRED", "is empty; give at least one message")
    return tuple(
        Message(check.at("messages", i).at("role").require(one.role), one.content)
        for i, one in enumerate(message.messages)
    )


def build_arm(arm: Arm) -> pb.Arm:
    """An arm."""
    return pb.Arm(
        name=arm.name,
        interventions=[build_intervention(one) for one in arm.interventions],
        forced_prefix=None if arm.forced_prefix is None else build_prompt(arm.forced_prefix),
        logit_bias=arm.logit_bias,
        prompt=None if arm.prompt is None else build_prompt(arm.prompt),
        recipes=arm.recipes,
    )


def read_arm(message: pb.Arm, check: Check) -> Arm:
    """An arm."""
    if not _ARM_NAME.fullmatch(message.name):
        check.at("name").fail(
            "MALFORMED",
            f"is {message.name!r}; give 1 to 80 of letters, digits, space and ._:/@+-, "
            "beginning with a letter or digit",
        )
    if message.name in _RESERVED:
        check.at("name").fail("RESERVED", f"is {message.name!r}, a reserved name; give another")
    forced = prompt = None
    if message.HasField("forced_prefix"):
        forced = read_prompt(message.forced_prefix, check.at("forced_prefix"), chat=False)
    if message.HasField("prompt"):
        prompt = read_prompt(message.prompt, check.at("prompt"))
    return Arm(
        name=message.name,
        interventions=tuple(
            parse_intervention(one, check.at("interventions", i))
            for i, one in enumerate(message.interventions)
        ),
        forced_prefix=forced,
        logit_bias=parse_logit_bias(message.logit_bias, check),
        prompt=prompt,
        recipes=tuple(
            check.at("recipes", i).require(name) for i, name in enumerate(message.recipes)
        ),
    )


def build_trial(trial: Trial) -> pb.Trial:
    """A trial; every default is written out."""
    return pb.Trial(
        prompt=build_prompt(trial.prompt),
        arms=[build_arm(arm) for arm in trial.arms],
        baseline=trial.baseline,
        noise_floor=trial.noise_floor,
        sampling=build_sampling(trial.sampling),
        samples=trial.samples,
        measure=trial.measure,
        allow_model_mismatch=trial.allow_model_mismatch,
        branching=None if trial.branching is None else build_branching(trial.branching),
    )


def read_trial(message: pb.Trial, check: Check) -> Trial:
    """A trial with every default filled in."""
    default = Trial(Prompt())
    trial = Trial(
        prompt=read_prompt(message.prompt, check.at("prompt")),
        arms=read_arms(message.arms, check),
        baseline=message.baseline if message.HasField("baseline") else default.baseline,
        noise_floor=message.noise_floor,
        sampling=parse_sampling(message.sampling, check.at("sampling")),
        samples=message.samples if message.HasField("samples") else default.samples,
        measure=message.measure if message.HasField("measure") else default.measure,
        allow_model_mismatch=message.allow_model_mismatch,
        branching=(
            read_branching(message.branching, check.at("branching"))
            if message.HasField("branching")
            else None
        ),
    )
    if trial.branching is not None:
        _check_branched(trial, check)
    check.at("samples").within(trial.samples, 1, MAX_SAMPLES)
    if not trial.arms and not trial.baseline:
        check.at("arms").fail("REQUIRED", "is empty and the baseline is off; give an arm")
    if trial.noise_floor and not any(arm.interventions or arm.recipes for arm in trial.arms[:1]):
        check.at("noise_floor").fail(
            "CONTRADICTORY",
            "repeats the first arm at zero strength; give one with interventions",
        )
    return trial


def _check_branched(trial: Trial, check: Check) -> None:
    if trial.samples != 1:
        message = f"is {trial.samples}; branches take the place of samples; give one of both"
        check.at("samples").fail("CONTRADICTORY", message)
    if trial.sampling.temperature:
        message = f"is {trial.sampling.temperature:g}; branches go on greedily; give 0"
        check.at("sampling").at("temperature").fail("CONTRADICTORY", message)


def build_score(trial: ScoreTrial) -> pb.ScoreRequest:
    """A scoring request."""
    return pb.ScoreRequest(
        prompt=build_prompt(trial.prompt),
        continuation=build_prompt(trial.continuation),
        arms=[build_arm(arm) for arm in trial.arms],
        allow_model_mismatch=trial.allow_model_mismatch,
    )


def read_score(message: pb.ScoreRequest, check: Check) -> ScoreTrial:
    """A scoring request."""
    return ScoreTrial(
        prompt=read_prompt(message.prompt, check.at("prompt")),
        continuation=read_prompt(message.continuation, check.at("continuation"), chat=False),
        arms=read_arms(message.arms, check),
        allow_model_mismatch=message.allow_model_mismatch,
    )


def read_arms(messages: Iterable[pb.Arm], check: Check) -> tuple[Arm, ...]:
    """The field ``arms`` of a request; no two have the same name."""
    arms = tuple(read_arm(one, check.at("arms", i)) for i, one in enumerate(messages))
    first: dict[str, int] = {}
    for i, arm in enumerate(arms):
        if first.setdefault(arm.name, i) != i:
            check.at("arms", i).at("name").fail(
                "DUPLICATE",
                f"is {arm.name!r}, as is arms[{first[arm.name]}]; give another name",
            )
    return arms
