"""Branching: what is asked, and the branches that come back."""

import steer.v1 as pb
from steer.types import Branch, BranchedAnswer, Branches, Branching, Choices
from steer.wire.check import Check
from steer.wire.enums import EXTRACTOR
from steer.wire.tasks import check_pattern

MAX_BRANCHES = 1024


def build_branching(asked: Branching) -> pb.Branching:
    """What is asked."""
    return pb.Branching(
        k=asked.k, extractor=EXTRACTOR.build(asked.extractor), pattern=asked.pattern
    )


def read_branching(message: pb.Branching, check: Check) -> Branching:
    """What is asked."""
    extractor = Branching(0).extractor
    if message.extractor:
        extractor = EXTRACTOR.parse(message.extractor, check.at("extractor"))
    check.at("k").within(message.k, 2, MAX_BRANCHES)
    check_pattern(extractor, message.pattern, check)
    return Branching(message.k, extractor, message.pattern)


def build_branches(given: Branches) -> pb.Branches:
    """The branches of one arm."""
    choices = given.choices
    return pb.Branches(
        arm=given.arm,
        branches=[_build_branch(one) for one in given.branches],
        answers=[
            pb.BranchedAnswer(answer=one.answer, confidence=one.confidence, ranks=one.ranks)
            for one in given.answers
        ],
        choices=pb.BranchChoices(
            confidence=choices.confidence,
            aggregated=choices.aggregated,
            logprob=choices.logprob,
            mean_logprob=choices.mean_logprob,
            random=choices.random,
        ),
    )


def parse_branches(message: pb.Branches) -> Branches:
    """The branches of one arm."""
    choices = message.choices
    return Branches(
        arm=message.arm,
        branches=tuple(map(_parse_branch, message.branches)),
        answers=tuple(
            BranchedAnswer(one.answer, one.confidence, tuple(one.ranks)) for one in message.answers
        ),
        choices=Choices(
            confidence=choices.confidence if choices.HasField("confidence") else None,
            aggregated=choices.aggregated if choices.HasField("aggregated") else None,
            logprob=choices.logprob if choices.HasField("logprob") else None,
            mean_logprob=choices.mean_logprob if choices.HasField("mean_logprob") else None,
            random=choices.random,
        ),
    )


def _build_branch(branch: Branch) -> pb.Branch:
    return pb.Branch(
        rank=branch.rank,
        first_token_id=branch.first_token,
        tokens=branch.tokens,
        logprob=branch.logprob,
        mean_logprob=branch.mean_logprob,
        answer=branch.answer,
        span=pb.TokenSpan(begin=branch.span[0], end=branch.span[1]) if branch.span else None,
        confidence=branch.confidence,
    )


def _parse_branch(message: pb.Branch) -> Branch:
    span = message.span
    return Branch(
        rank=message.rank,
        first_token=message.first_token_id if message.HasField("first_token_id") else None,
        tokens=message.tokens,
        logprob=message.logprob if message.HasField("logprob") else None,
        answer=message.answer if message.HasField("answer") else None,
        span=(span.begin, span.end) if message.HasField("span") else None,
        confidence=message.confidence if message.HasField("confidence") else None,
    )
