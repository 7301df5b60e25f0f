"""Training steps: gradients by plain hooks and autograd, batches in pieces, states to the bit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.checkpoint import from_json, to_json
from steer.elicit.learner import BadLoss, Learner, NoGradient
from steer.elicit.lessons import Lesson, Manner, loss
from steer.elicit.rewards import against_mean, leave_one_out
from steer.elicit.rows import Row, in_pieces
from steer.elicit.state import State
from steer.types import Phase, Point, Site, Where
from tests.helpers import BOS, network

SITES = (Site(0, Point.MLP_OUT), Site(1))
SPECIAL = frozenset({0, BOS, 2})
ASKED = [([BOS, 4, 5], [6, 7, 2]), ([8], [9, 2]), ([BOS, 10, 11, 12], [13, 13, 13, 2])]
TEACHER = [BOS, 20, 21]


def rows(phase: Phase) -> list[Row]:
    return [Row.of(prompt, answer, Where(phase), SPECIAL) for prompt, answer in ASKED]


def by_hand(
    net: PreTrainedModel, row: Row, vectors: Mapping[Site, Tensor], temperature: float = 1.0
) -> Tensor:
    """Log-probabilities at the completion, alone, without padding, by hooks of their own."""
    touched = torch.tensor(row.touched)[None, :, None]
    places = {Site(0, Point.MLP_OUT): net.model.layers[0].mlp, Site(1): net.model.layers[1]}
    handles = [
        places[at].register_forward_hook(lambda _m, _i, out, v=vector: out + touched * v)
        for at, vector in vectors.items()
    ]
    logits = net(input_ids=torch.tensor([row.tokens]), use_cache=False).logits[0]
    for handle in handles:
        handle.remove()
    return (logits[len(row.prompt) - 1 : -1] / temperature).log_softmax(-1)


def said(scores: Tensor, row: Row) -> Tensor:
    return scores[range(len(row.completion)), list(row.completion)].sum()


def kl(p: Tensor, q: Tensor) -> Tensor:
    return (p.exp() * (p - q)).sum()


def seeded() -> dict[Site, Tensor]:
    torch.manual_seed(1)
    return {at: torch.randn(32).requires_grad_() for at in SITES}


def same(got: Sequence[Tensor], want: Sequence[Tensor]) -> bool:
    return all(torch.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize("phase", [Phase.ALL, Phase.DECODE, Phase.GENERATED, Phase.FIRST])
def test_gradient_equals_autograd_on_the_summed_objective(phase: Phase) -> None:
    net, vectors, given = network(), seeded(), rows(phase)
    advantages = [1.0, -0.5, 0.25]
    lessons = [Lesson(row, climb=a) for row, a in zip(given, advantages, strict=True)]
    total, sums = loss(net, lessons, vectors, Manner(temperature=0.7))
    wanted = -sum(
        a * said(by_hand(net, row, vectors, 0.7), row)
        for row, a in zip(given, advantages, strict=True)
    )
    assert isinstance(wanted, Tensor)
    assert sums.loss == pytest.approx(wanted.item(), rel=1e-4)
    assert sums.tokens == sum(len(answer) for _, answer in ASKED)
    parameters = list(vectors.values())
    assert same(torch.autograd.grad(total, parameters), torch.autograd.grad(wanted, parameters))


def test_every_term_of_the_loss_is_what_its_formula_says() -> None:
    net, vectors, given = network(), seeded(), rows(Phase.ALL)
    lessons = [
        Lesson(row, climb=1, stay=0.5, keep=0.25, follow=2.0, teacher=TEACHER) for row in given
    ]
    total, sums = loss(net, lessons, vectors, Manner(top_k=5))
    moved, lost, missed, surprise = (torch.zeros(()) for _ in range(4))
    for row in given:
        steered, plain = by_hand(net, row, vectors), by_hand(net, row, {}).detach()
        seen = by_hand(net, Row(TEACHER, row.completion, [0.0] * 9), {}).detach()
        values, ids = seen.topk(5)
        surprise = surprise - said(steered, row)
        moved, lost = moved + kl(steered, plain), lost + kl(plain, steered)
        missed = missed + kl(values.log_softmax(-1), steered.gather(1, ids))
    wanted = surprise + 0.5 * moved + 0.25 * lost + 2 * missed
    told = (sums.surprise, sums.moved, sums.lost, sums.missed)
    assert told == pytest.approx([t.item() for t in (surprise, moved, lost, missed)], rel=1e-3)
    parameters = list(vectors.values())
    assert same(torch.autograd.grad(total, parameters), torch.autograd.grad(wanted, parameters))


def test_expected_step_is_the_gradient_of_the_expected_reward() -> None:
    """Two tokens are drawn, one of them is rewarded, groups of two: all samples enumerated."""
    net, vectors = network(), seeded()
    parameters = list(vectors.values())
    answers, rewards = ([5, 6], [0.0, 1.0])
    given = [Row.of([BOS, 4], [answer], Where(Phase.DECODE), SPECIAL) for answer in answers]
    likely = torch.stack([said(by_hand(net, row, vectors), row) for row in given])
    chance = (likely - likely.logsumexp(0)).exp()  # as if there were no other token
    expected = [torch.zeros(32) for _ in SITES]
    for i in range(2):
        for j in range(2):
            if i == j:
                continue  # no advantage
            pulls = leave_one_out([rewards[i], rewards[j]])
            lessons = [Lesson(given[k], climb=a / 2) for k, a in zip((i, j), pulls, strict=True)]
            total, _ = loss(net, lessons, vectors)
            step = torch.autograd.grad(-total, parameters)
            weight = (chance[i] * chance[j]).detach()
            expected = [sum_ + weight * one for sum_, one in zip(expected, step, strict=True)]
    wanted = torch.autograd.grad((chance * torch.tensor(rewards)).sum(), parameters)
    assert same(expected, wanted)


def test_advantages() -> None:
    assert leave_one_out([1, 0, 0, 1]) == pytest.approx([2 / 3, -2 / 3, -2 / 3, 2 / 3])
    assert against_mean([1, 0, 0, 1]) == [0.5, -0.5, -0.5, 0.5]
    assert leave_one_out([0.1] * 3) == against_mean([0.1] * 3) == [0.0] * 3


def test_pieces_hold_every_row_and_no_more_tokens_than_there_is_room() -> None:
    given = rows(Phase.ALL)  # of 6, 3 and 8 tokens
    assert list(in_pieces(given, 12)) == [slice(0, 2), slice(2, 3)]
    assert list(in_pieces(given, 1)) == [slice(0, 1), slice(1, 2), slice(2, 3)]
    assert list(in_pieces(given, 24)) == [slice(0, 3)]
    assert list(in_pieces([], 5)) == []


def zero() -> State:
    return State.zero(SITES, 32)


def lessons_of(row: Row) -> Lesson:
    return Lesson(row, climb=1 / 3, keep=0.1)


def test_steps_in_pieces_are_those_of_adam_on_the_loss_written_out() -> None:
    net, given = network(), rows(Phase.ALL)
    learner = Learner(zero())
    vectors = {at: torch.zeros(32, requires_grad=True) for at in SITES}
    adam = torch.optim.Adam(vectors.values(), lr=0.1)
    plain = [by_hand(net, row, {}).detach() for row in given]
    for _ in range(3):
        for row in given:
            learner.study(net, [lessons_of(row)], Manner())
        learner.update(0.1, norm=0.01)
        total = torch.zeros(())
        for row, before in zip(given, plain, strict=True):
            scores = by_hand(net, row, vectors)
            total = total - said(scores, row) / 3 + 0.1 * kl(before, scores)
        total = total + 0.01 * sum((v**2).sum() for v in vectors.values())
        adam.zero_grad()
        torch.autograd.backward(total)
        adam.step()
    state = learner.state()
    assert state.step == 3
    for at, vector in vectors.items():
        assert np.allclose(state.vectors[at], vector.detach().numpy(), atol=1e-4)
    assert not any(p.requires_grad for p in net.parameters())


def test_a_state_goes_on_as_if_nothing_had_been_between() -> None:
    net, given = network(), rows(Phase.DECODE)

    def steps(learner: Learner, count: int) -> Learner:
        for _ in range(count):
            learner.study(net, [lessons_of(row) for row in given], Manner())
            learner.update(0.1)
        return learner

    whole = steps(Learner(zero()), 5).state()
    half = from_json(json.loads(json.dumps(to_json(steps(Learner(zero()), 2).state()))))
    resumed = steps(Learner(half), 3).state()
    for name in ("vectors", "first", "second"):
        pairs = zip(getattr(whole, name).items(), getattr(resumed, name).items(), strict=True)
        assert all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)
    assert (whole.step, resumed.step) == (5, 5)


def test_what_is_not_finite_is_told() -> None:
    net, given = network(), rows(Phase.DECODE)
    for climb, norm in ((float("nan"), 0.0), (1.0, float("nan"))):
        learner = Learner(zero())
        learner.study(net, [replace(lessons_of(given[0]), climb=climb)], Manner())
        with pytest.raises(BadLoss):
            learner.update(0.1, norm)


def test_vectors_that_touch_nothing_are_told() -> None:
    net = network()
    row = Row.of([BOS, 4], [5], Where(Phase.GENERATED), SPECIAL)  # P alone predicts nothing here
    learner = Learner(zero())
    learner.study(net, [Lesson(row, climb=1.0)], Manner())
    with pytest.raises(NoGradient):
        learner.update(0.1)
