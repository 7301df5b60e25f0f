"""After the logits: tokens are appended, rows end, shadows part from the baseline."""

import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from steer.engine.embedded.readout import Answer, Query
from steer.engine.embedded.sampler import Draw
from steer.engine.rows import Job, Kind, Row
from steer.types import BASELINE, Chunk, FinishReason, Measurement, Usage


@dataclass(frozen=True, slots=True)
class Target:
    """A place whose logits are wanted: they predict generated token ``index`` of ``row``."""

    job: Job
    row: Row
    index: int


def queries(targets: Sequence[Target], eos: AbstractSet[int]) -> list[Query]:
    """What to read at each target."""
    places = {(id(target.row), target.index): i for i, target in enumerate(targets)}
    return [_query(target, places, eos) for target in targets]


def _query(target: Target, places: dict[tuple[int, int], int], eos: AbstractSet[int]) -> Query:
    row, plan = target.row, target.job.plan
    position = row.prompt_length + target.index
    known = row.tokens[position] if position < len(row.tokens) else None
    draws = known is None and row.kind is Kind.ARM
    return Query(
        bias=row.arm.logit_bias,
        known=known,
        draw=_draw(target, eos) if draws else None,
        scored=plan.scored,
        reference=places[id(row.reference), target.index] if row.reference else None,
        alternatives=plan.sampling.logprobs if row.kind is Kind.ARM else 0,
        trunk=places.get((id(row.trunk), target.index)) if _begins_branch(target) else None,
        margin=plan.branching is not None and row.kind is Kind.ARM,
    )


def _begins_branch(target: Target) -> bool:
    return target.row.trunk is not None and target.index == len(target.row.arm.forced)


def _draw(target: Target, eos: AbstractSet[int]) -> Draw:
    sampling = target.job.plan.sampling
    row, index = target.row, target.index
    early = index < sampling.min_tokens
    return Draw(
        sampling=sampling,
        uniform=row.uniforms[index] if row.uniforms else 0.0,
        banned=eos | set(sampling.stop_token_ids) if early else frozenset(),
        context=row.tokens,
        place=row.sample if _begins_branch(target) else 0,
    )


def append(targets: Sequence[Target], answers: Sequence[Answer], eos: AbstractSet[int]) -> None:
    """Give every row its answers, emit chunks, mark rows that end."""
    by_row: dict[Row, list[tuple[Target, Answer]]] = {}
    for target, answer in zip(targets, answers, strict=True):
        if target.row.kind is Kind.ARM:
            by_row.setdefault(target.row, []).append((target, answer))
    now = time.monotonic()
    for row, given in by_row.items():
        row.first_token_at = row.first_token_at or now
        _append_row(given[0][0].job, row, given, eos)


def _append_row(
    job: Job, row: Row, given: Sequence[tuple[Target, Answer]], eos: AbstractSet[int]
) -> None:
    text, new = "", []
    for target, answer in given:
        if answer.token is None:
            row.finish = FinishReason.DIVERGED
            break
        _take(job, row, target.index, answer)
        new.append(answer)
        text += row.text.push(answer.token) if row.text else ""
        row.finish = _ending(job, row, target.index, answer.token, eos)
        if row.ended:
            break
    if row.ended:
        del row.tokens[row.prompt_length + given[0][0].index + len(new) :]
    if job.plan.scoring:
        return
    if row.ended and row.text:
        text += row.text.finish()
    job.events.append(_chunk(job, row, new, text))


def _take(job: Job, row: Row, index: int, answer: Answer) -> None:
    assert answer.token is not None
    if row.prompt_length + index == len(row.tokens):
        row.tokens.append(answer.token)
        if row.own_reference and row.reference:
            row.reference.tokens.append(answer.token)
    if job.plan.scored:
        row.logprobs.append(answer.logprob)
        row.ranks.append(answer.rank)
    if job.plan.branching:
        row.margins.append(answer.margin)
    if row.reference is not None:
        row.kl.append(answer.kl)
        row.baseline_logprobs.append(answer.reference_logprob)


def _ending(
    job: Job, row: Row, index: int, token: int, eos: AbstractSet[int]
) -> FinishReason | None:
    sampling = job.plan.sampling
    if index >= len(row.arm.forced):
        if token in sampling.stop_token_ids or (token in eos and not sampling.ignore_eos):
            return FinishReason.STOP
        if row.text and row.text.stopped_by:
            return FinishReason.STOP_SEQUENCE
    full = row.prompt_length + index + 1 >= job.context_length
    return FinishReason.LENGTH if full or index + 1 >= sampling.max_tokens else None


def _chunk(job: Job, row: Row, answers: Sequence[Answer], text: str) -> Chunk:
    shown = job.plan.scored
    return Chunk(
        arm=row.arm.name,
        sample=row.sample,
        token_ids=tuple(answer.token for answer in answers if answer.token is not None),
        text=text,
        logprobs=tuple(answer.logprob for answer in answers) if shown else (),
        ranks=tuple(answer.rank for answer in answers) if shown else (),
        alternatives=tuple(answer.alternatives for answer in answers)
        if job.plan.sampling.logprobs
        else (),
        margins=tuple(answer.margin for answer in answers) if job.plan.branching else (),
    )


def parting(job: Job) -> list[tuple[Row, Row]]:
    """Rows that the baseline row they followed can no longer stand for: their tokens have just
    left its own, or it has ended.

    Until then the baseline row itself is their shadow: same tokens, same computation.
    """
    return [
        (row, row.reference)
        for row in job.rows
        if row.reference is not None
        and not row.own_reference
        and not row.ended
        and (row.reference.ended or row.generated != row.reference.generated)
    ]


def usage(job: Job, row: Row, now: float) -> Usage:
    """Counts and times of a row that has ended."""
    admitted = job.admitted or now
    return Usage(
        prompt_tokens=row.prompt_length,
        completion_tokens=len(row.generated),
        cached_tokens=row.cached,
        queue_time=admitted - job.arrived,
        prefill_time=row.first_token_at - admitted,
        decode_time=now - row.first_token_at,
    )


def measurements(job: Job) -> tuple[Measurement, ...]:
    """Every measured row against the unsteered model."""
    baselines = {row.sample: row for row in job.rows if row.arm.name == BASELINE}
    return tuple(
        Measurement(
            arm=row.arm.name,
            sample=row.sample,
            first_divergence=_divergence(row, baselines.get(row.sample)),
            kl=tuple(row.kl),
            logprobs=tuple(row.logprobs),
            baseline_logprobs=tuple(row.baseline_logprobs),
        )
        for row in job.rows
        if job.measures(row.arm)
    )


def _divergence(row: Row, baseline: Row | None) -> int | None:
    if baseline is None or row.generated == baseline.generated:
        return None
    pairs = zip(row.generated, baseline.generated, strict=False)
    shorter = min(len(row.generated), len(baseline.generated))
    return next((i for i, (mine, other) in enumerate(pairs) if mine != other), shorter)
