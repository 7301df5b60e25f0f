"""What is read off a step's logits: next tokens, log-probabilities, ranks, KL. One transfer to
the host for each step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from steer.engine.embedded import sampler
from steer.types import Alternative


@dataclass(frozen=True)
class Query:
    """One row of logits and what is wanted of it.

    ``known``: the token that follows, or None to draw one with ``draw``. ``reference``: index of
    the query that reads the same place in the unsteered model. ``alternatives``: how many.
    ``trunk``: index of the query whose logits ``draw`` chooses from, if not this one. ``margin``:
    how sure the row is of its most likely token is wanted.
    """

    bias: Mapping[int, float]
    known: int | None = None
    draw: sampler.Draw | None = None
    scored: bool = False
    reference: int | None = None
    alternatives: int = 0
    trunk: int | None = None
    margin: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Token and numbers of one query; ``token`` None when the logits are not finite. ``margin``:
    p(most likely) - p(second)."""

    token: int | None
    logprob: float = 0.0
    rank: int = 0
    kl: float = 0.0
    reference_logprob: float = 0.0
    margin: float = 0.0
    alternatives: tuple[Alternative, ...] = ()


def read(logits: Tensor, queries: Sequence[Query]) -> list[Answer]:
    """Answer one query for each row of logits (n, vocab)."""
    logits = sampler.bias(logits.float(), [query.bias for query in queries])
    tokens = _tokens(logits, queries)
    columns = [tokens.double(), torch.isfinite(logits.amax(-1)).double()]
    alternatives: list[tuple[Alternative, ...]] = [()] * len(queries)
    if any(query.scored for query in queries):
        logprobs = torch.log_softmax(logits, -1)
        columns += [*_scores(logprobs, tokens, queries), _margins(logprobs, queries)]
        alternatives = _alternatives(logprobs, queries)
    rows = torch.stack(columns, -1).tolist()
    return [_answer(row, likely) for row, likely in zip(rows, alternatives, strict=True)]


def _answer(row: Sequence[float], alternatives: tuple[Alternative, ...]) -> Answer:
    token, finite, *scores = row
    if not finite:
        return Answer(None)
    if not scores:
        return Answer(int(token))
    logprob, rank, kl, reference, margin = scores
    return Answer(int(token), logprob, int(rank), kl, reference, margin, alternatives)


def _tokens(logits: Tensor, queries: Sequence[Query]) -> Tensor:
    known = [query.known if query.known is not None else -1 for query in queries]
    tokens = torch.tensor(known, device=logits.device)
    open_ = [index for index, query in enumerate(queries) if query.draw is not None]
    if open_:
        index = torch.tensor(open_, device=logits.device)
        draws = [query.draw for query in queries if query.draw is not None]
        trunks = [i if (trunk := queries[i].trunk) is None else trunk for i in open_]
        source = torch.tensor(trunks, device=logits.device)
        whole = trunks == list(range(len(queries)))
        chosen = sampler.choose(logits if whole else logits.index_select(0, source), draws)
        tokens.index_copy_(0, index, chosen)
    return tokens


def _scores(logprobs: Tensor, tokens: Tensor, queries: Sequence[Query]) -> list[Tensor]:
    chosen = logprobs.gather(-1, tokens.clamp_min(0)[:, None])
    rank = (logprobs > chosen).sum(-1) + 1
    kl, reference = torch.zeros(2, len(queries), device=logprobs.device)
    pairs = [(i, query.reference) for i, query in enumerate(queries) if query.reference is not None]
    if pairs:
        mine, base = torch.tensor(pairs, device=logprobs.device).unbind(-1)
        p, q = logprobs.index_select(0, mine), logprobs.index_select(0, base)
        kl = kl.index_copy(0, mine, (p.exp() * (p - q)).sum(-1).clamp_min(0.0))
        same = tokens.index_select(0, mine)[:, None]
        reference = reference.index_copy(0, mine, q.gather(-1, same)[:, 0])
    return [column.double() for column in (chosen[:, 0], rank, kl, reference)]


def _margins(logprobs: Tensor, queries: Sequence[Query]) -> Tensor:
    margins = torch.zeros(len(queries), dtype=torch.double, device=logprobs.device)
    asked = [i for i, query in enumerate(queries) if query.margin]
    if asked:
        index = torch.tensor(asked, device=logprobs.device)
        first, second = logprobs.index_select(0, index).topk(2).values.exp().double().unbind(-1)
        margins.index_copy_(0, index, first - second)
    return margins


def _alternatives(logprobs: Tensor, queries: Sequence[Query]) -> list[tuple[Alternative, ...]]:
    most = max(query.alternatives for query in queries)
    if not most:
        return [()] * len(queries)
    likely = sampler.top(logprobs, most)
    return [given[: query.alternatives] for query, given in zip(queries, likely, strict=True)]
