"""The branches of an arm: where their answers stand, how sure each is, which are chosen. No torch.

Source: X. Wang and D. Zhou, "Chain-of-Thought Reasoning Without Prompting", arXiv 2402.10200.
"""

import math
import random
from collections.abc import Callable, Sequence
from itertools import accumulate

from steer.engine.rows import Job, Row
from steer.intervene.plan import PlannedBranching
from steer.intervene.ports import Text
from steer.types import Branch, BranchedAnswer, Branches, Choices

Span = tuple[int, int]


def branches(job: Job, text: Text) -> tuple[Branches, ...]:
    """What came of a branching job whose rows have all ended, an arm each.

    The confidence of a branch is the mean of p(most likely) - p(second) over the tokens of its
    answer, under the arm's own distribution; an answer that several branches give has their sum.
    """
    planned, seed = job.plan.branching, job.plan.sampling.seed
    assert planned is not None
    return tuple(
        chosen(
            arm.name,
            [branch(row, planned, text) for row in job.rows if row.arm is arm],
            seed,
        )
        for arm in job.plan.arms
    )


def branch(row: Row, planned: PlannedBranching, text: Text) -> Branch:
    """One row that has ended."""
    begin = len(row.arm.forced)
    logprobs = row.logprobs[begin:]
    plain = Branch(
        rank=row.sample,
        first_token=row.generated[begin] if logprobs else None,
        tokens=len(logprobs),
        logprob=math.fsum(logprobs) if logprobs else None,
    )
    said, reaches = spelled(row, text)
    find = planned.extractor.find
    span, answer = find(said) if find else None, planned.extractor.read(said)
    covered = covering(reaches, span) if span else None
    if answer is None or covered is None:
        return plain
    margins = row.margins[slice(*covered)]
    return Branch(
        plain.rank,
        plain.first_token,
        plain.tokens,
        plain.logprob,
        answer,
        covered,
        math.fsum(margins) / len(margins),
    )


def chosen(arm: str, given: Sequence[Branch], seed: int) -> Branches:
    """The branches of an arm by rank, with what every rule chooses. ``seed``: of the random one."""
    sums: dict[str, list[Branch]] = {}
    for one in given:
        if one.answer is not None:
            sums.setdefault(one.answer, []).append(one)
    # A stable sort: of answers with equal sums, the one of the lowest rank.
    answers = sorted(
        (
            BranchedAnswer(answer, math.fsum(map(_confidence, of)), tuple(one.rank for one in of))
            for answer, of in sums.items()
        ),
        key=lambda one: -one.confidence,
    )
    agreeing = sums[answers[0].answer] if answers else []
    return Branches(
        arm,
        tuple(given),
        tuple(answers),
        Choices(
            confidence=_best(given, lambda one: one.confidence),
            aggregated=_best(agreeing, lambda one: one.confidence),
            logprob=_best(given, lambda one: one.logprob),
            mean_logprob=_best(given, lambda one: one.mean_logprob),
            # The same in every arm, as all that is drawn.
            random=random.Random(seed).randrange(len(given)),
        ),
    )


def _confidence(one: Branch) -> float:
    return one.confidence or 0.0


def _best(given: Sequence[Branch], by: Callable[[Branch], float | None]) -> int | None:
    """The rank of the branch with the largest number; None when none has one."""
    scored = [(value, -one.rank) for one in given if (value := by(one)) is not None]
    return -max(scored)[1] if scored else None


def spelled(row: Row, text: Text) -> tuple[str, list[Span]]:
    """The text that was given of a row that has ended, and which characters of it each token wrote.

    A token that ends within a character wrote what its successors completed; one that is never
    shown, as special tokens are not, wrote nothing.
    """
    assert row.text is not None and row.text.pieces is not None
    pieces = row.text.pieces
    ends = list(accumulate(map(len, pieces)))
    reaches, complete = list[Span](), ends[-1]
    for place in reversed(range(len(row.generated))):
        if pieces[place]:
            complete = ends[place]
        begin = ends[place] - len(pieces[place])
        shown = bool(pieces[place]) or _is_shown(row.generated[place], text)
        reaches.append((begin, complete if shown else begin))
    return "".join(pieces)[: row.text.given], reaches[::-1]


def _is_shown(token: int, text: Text) -> bool:
    stream = text.stream(())
    return bool(stream.push(token) or stream.flush())


def covering(reaches: Sequence[Span], span: Span) -> Span | None:
    """The tokens, half open, that wrote any of these characters."""
    inside = [
        place for place, (begin, end) in enumerate(reaches) if begin < span[1] and end > span[0]
    ]
    return (inside[0], inside[-1] + 1) if inside else None
