"""What vectors are trained on, row by row, and the loss of it.

The loss is a sum over rows of four terms, each with a weight of the row's own: minus the
log-likelihood of its completion; KL(steered ‖ unsteered), which holds a policy near where it
began; KL(unsteered ‖ steered), which keeps what is to be kept; and KL(teacher ‖ steered), where the
teacher is the unsteered model under another prompt, cut to its likeliest tokens. KLs are sums over
the tokens of the completion, nats. Because it is a sum, it can be taken a few rows at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.padding import Tokens
from steer.elicit.policy import scores
from steer.elicit.rows import Batch, Row
from steer.types import Site


@dataclass(frozen=True, slots=True)
class Lesson:
    """A row and its weights. ``climb``: of its log-likelihood; ``stay``, ``keep``, ``follow``: of
    the KLs, per token. ``teacher``: the prompt under which the teacher sees the completion."""

    row: Row
    climb: float = 0.0
    stay: float = 0.0
    keep: float = 0.0
    follow: float = 0.0
    teacher: Tokens = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """What holds for all lessons. ``temperature``: of the policy, above 0. ``top_k``: tokens of the
    teacher that count. ``measure``: tell KLs whose weights are 0 too."""

    temperature: float = 1.0
    top_k: int = 20
    measure: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    """Over rows: the loss; -log-likelihood; the three KLs, 0 where they were not taken; tokens of
    the completions."""

    loss: float = 0.0
    surprise: float = 0.0
    moved: float = 0.0
    lost: float = 0.0
    missed: float = 0.0
    tokens: float = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Sums)))


def loss(
    model: PreTrainedModel,
    lessons: Sequence[Lesson],
    vectors: Mapping[Site, Tensor],
    manner: Manner = Manner(),
) -> tuple[Tensor, Sums]:
    """The loss of lessons, differentiable in the vectors, and what it is made of."""
    batch = Batch.of([lesson.row for lesson in lessons])
    steered = scores(model, batch, vectors, manner.temperature)
    here = steered.device
    counts = batch.counts.to(here)
    chosen = steered.gather(-1, batch.targets.to(here)[..., None])[..., 0]
    surprise = -(chosen * counts).sum(1)
    moved = lost = missed = torch.zeros_like(surprise)
    if manner.measure or any(lesson.stay or lesson.keep for lesson in lessons):
        with torch.no_grad():
            plain = scores(model, batch, {}, manner.temperature)
        moved = (_kl(steered, plain) * counts).sum(1)
        lost = (_kl(plain, steered) * counts).sum(1)
    if any(lesson.follow for lesson in lessons):
        missed = (_short(steered, *_taught(model, lessons, manner)) * counts).sum(1)
    terms = {"climb": surprise, "stay": moved, "keep": lost, "follow": missed}
    total = torch.zeros((), device=here)
    for name, term in terms.items():
        weights = torch.tensor([getattr(lesson, name) for lesson in lessons], device=here)
        if weights.any():
            total = total + (weights * term).sum()
    found = (float(term.detach().sum()) for term in (total, *terms.values(), counts))
    return total, Sums(*found)


def _kl(p: Tensor, q: Tensor) -> Tensor:
    """KL of log-probabilities (…, vocabulary), nats."""
    return (p.exp() * (p - q)).sum(-1)


@torch.no_grad()
def _taught(
    model: PreTrainedModel, lessons: Sequence[Lesson], manner: Manner
) -> tuple[Tensor, Tensor]:
    """The teacher's likeliest tokens and their log-probabilities, made to sum to 1: (rows, longest
    completion, top_k)."""
    rows = [Row(one.teacher or one.row.prompt, one.row.completion, ()) for one in lessons]
    whole = scores(model, Batch.of(rows), {}, 1.0)
    values, ids = whole.topk(min(manner.top_k, whole.shape[-1]), dim=-1)
    return ids, values.log_softmax(-1)


def _short(steered: Tensor, ids: Tensor, taught: Tensor) -> Tensor:
    """KL(teacher ‖ steered), (rows, longest completion); the teacher has these tokens alone."""
    return _kl(taught, steered.gather(-1, ids))
