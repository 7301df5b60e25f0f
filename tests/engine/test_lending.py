"""The network lent out: gradients as of the plain model, nobody kept waiting, nothing changed."""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.engine.embedded.engine import EmbeddedEngine
from steer.errors import Unavailable
from steer.intervene.sites import visiting
from steer.types import Point, Site
from tests.engine.plans import arm, baseline, edit, plan, prompt, vector
from tests.helpers import engine, network, run, tokens, until

IDS = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedEngine]:
    with engine() as made:
        yield made


def gradient(net: PreTrainedModel) -> tuple[Tensor, Tensor]:
    """Loss and its gradient with respect to a vector added in two places."""
    pushed = torch.zeros(32, requires_grad=True)

    def add(hidden: Tensor) -> None:
        hidden.copy_(hidden + pushed)

    with visiting(net, {Site(0, Point.ATTN_OUT): add, Site(1, Point.MLP_OUT): add, Site(1): add}):
        logits = torch.cat([net(input_ids=ids, use_cache=False).logits for ids in (IDS, IDS[:1])])
    loss = logits.float().log_softmax(-1)[..., 3].sum()
    return loss.detach(), torch.autograd.grad(loss, pushed)[0]


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma2", "granite", "mixtral", "phi"])
def test_gradients_are_those_of_the_plain_model(kind: str) -> None:
    loss, wanted = gradient(network(kind))
    with engine(kind) as lender:
        given, found = lender.borrow(gradient).result(60)
    assert wanted.abs().max() > 0
    assert torch.allclose(given, loss, rtol=1e-4)
    assert torch.allclose(found, wanted, rtol=1e-3, atol=1e-3 * wanted.abs().max().item())


def test_the_model_says_the_same_bits_before_and_after(running: EmbeddedEngine) -> None:
    steer = edit("add", {Site(1): vector(2)})
    asked = plan(baseline(prompt(1, 6)), arm("x", prompt(1, 6), steer), logprobs=3)
    before = run(running, [asked])[asked.request_id]
    parameters = [p.clone() for p in running._model.network.parameters()]
    running.borrow(gradient).result(60)
    after = run(running, [asked])[asked.request_id]
    for name in ("baseline", "x"):
        assert tokens(after, name) == tokens(before, name)
    assert [getattr(e, "logprobs", None) for e in after] == [
        getattr(e, "logprobs", None) for e in before
    ]
    pairs = zip(running._model.network.parameters(), parameters, strict=True)
    assert all(torch.equal(now, then) for now, then in pairs)


def test_what_acted_in_a_step_does_not_act_in_a_loan(running: EmbeddedEngine) -> None:
    with engine() as other:
        wanted, _ = other.borrow(gradient).result(60)
    asked = plan(arm("x", prompt(1, 6), edit("add", {Site(1): vector(2)})), measure=False)
    run(running, [asked])
    assert torch.equal(running.borrow(gradient).result(60)[0], wanted)


def test_calls_are_served_between_loans(running: EmbeddedEngine) -> None:
    done: list[str] = []
    first = threading.Event()

    def work(net: PreTrainedModel) -> None:
        done.append("loan")
        if len(done) == 1:
            assert first.wait(60)

    loans = [running.borrow(work) for _ in range(3)]
    until(lambda: bool(done))
    asked = plan(baseline(prompt(1, 6)), max_tokens=20)

    def sink(batch: object) -> None:
        done.append("step")

    running.submit(asked, sink)  # while the first is at work, the others wait
    first.set()
    for loan in loans:
        loan.result(60)
    last = len(done) - 1 - done[::-1].index("step")
    assert done[0] == "loan" and done[last + 1 :] == ["loan", "loan"]


def test_background_work_and_loans_take_turns(running: EmbeddedEngine) -> None:
    begun, go = threading.Event(), threading.Event()
    first = running.borrow(lambda net: (begun.set(), go.wait(60)))
    assert begun.wait(60)
    done: list[str] = []
    asked = replace(plan(baseline(prompt(1, 6)), max_tokens=9, ignore_eos=True), background=True)
    running.submit(asked, lambda batch: done.append("step"))
    second = running.borrow(lambda net: done.append("loan"))
    go.set()
    first.result(60)
    second.result(60)
    until(lambda: running.load() == (0, 0))
    assert "step" in done[done.index("loan") :]


def test_errors_are_the_borrowers(running: EmbeddedEngine) -> None:
    def work(net: PreTrainedModel) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        running.borrow(work).result(60)
    assert running.borrow(lambda net: torch.is_inference_mode_enabled()).result(60) is False
    asked = plan(baseline(prompt(1, 6)))
    assert tokens(run(running, [asked])[asked.request_id], "baseline")


def test_what_has_not_begun_can_be_taken_back(running: EmbeddedEngine) -> None:
    begun, go = threading.Event(), threading.Event()
    slow = running.borrow(lambda net: (begun.set(), go.wait(60)))
    assert begun.wait(60)
    other = running.borrow(gradient)
    assert other.cancel() and not slow.cancel()
    go.set()
    slow.result(60)
    with pytest.raises(CancelledError):
        other.result(60)


def test_an_engine_that_ends_refuses_loans() -> None:
    begun, go = threading.Event(), threading.Event()
    with engine() as ending:
        slow = ending.borrow(lambda net: (begun.set(), go.wait(60)))
        assert begun.wait(60)
        waiting = ending.borrow(gradient)
        ending.drain(60)
        with pytest.raises(Unavailable):
            ending.borrow(gradient)
        go.set()
        slow.result(60)
        with pytest.raises(Unavailable):
            waiting.result(60)
