"""Vectors trained on gold traces: the loss by hand, what is kept, errors, and that it learns."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from steer.elicit import ce
from steer.elicit.objective import log_likelihood
from steer.elicit.sampling import complete
from steer.errors import FailedPrecondition, InvalidRequest
from steer.types import Phase, Site

END = 0
EXAMPLES = [
    ce.Example([3, 4, 5], [1, 2, END]),
    ce.Example([6], [5, END]),
    ce.Example([2, 7, 3, 4], [3, 3, 3, END]),
]
KEPT = [ce.Example([7, 7], [4, END]), ce.Example([1, 2, 3], [6, END])]
SITES = (Site(0), Site(1))
SETTINGS = ce.Settings(sites=SITES, batch=3, steps=1, rate=0.5)


def tiny() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=8,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        initializer_range=0.5,
        bos_token_id=None,
        eos_token_id=END,
        pad_token_id=END,
    )
    model = LlamaForCausalLM(config)
    model.train(False)
    return model


def predicted(model: LlamaForCausalLM, one: ce.Example, vectors: Mapping[Site, Tensor]) -> Tensor:
    """Log-probabilities at every target token, alone, every position steered by a plain hook."""

    def adding(vector: Tensor) -> object:
        return lambda _module, _inputs, output: output + vector

    handles = [
        model.model.layers[at.layer].register_forward_hook(adding(v)) for at, v in vectors.items()
    ]
    try:
        ids = torch.tensor([[*one.prompt, *one.target]])
        logits = model(input_ids=ids).logits[0].log_softmax(-1)
    finally:
        for handle in handles:
            handle.remove()
    return logits[len(one.prompt) - 1 : -1]


def loss_by_hand(model: LlamaForCausalLM, vectors: Mapping[Site, Tensor], retain: float) -> Tensor:
    asked = [predicted(model, one, vectors) for one in EXAMPLES]
    told = [
        scores[range(len(one.target)), one.target].sum()
        for scores, one in zip(asked, EXAMPLES, strict=True)
    ]
    moved = [
        (before.exp() * (before - after)).sum()
        for before, after in (
            (predicted(model, one, {}).detach(), predicted(model, one, vectors)) for one in KEPT
        )
    ]
    return -torch.stack(told).mean() + retain * torch.stack(moved).mean()


def test_likelihood_with_the_prompt_steered_equals_plain_hooks() -> None:
    model = tiny()
    torch.manual_seed(1)
    vectors = {layer: torch.randn(8) for layer in SITES}
    got = log_likelihood(
        model,
        [one.prompt for one in EXAMPLES],
        [one.target for one in EXAMPLES],
        vectors,
        phase=Phase.ALL,
    )
    for total, one in zip(got, EXAMPLES, strict=True):
        scores = predicted(model, one, vectors)
        assert torch.allclose(total, scores[range(len(one.target)), one.target].sum(), atol=1e-5)


@pytest.mark.parametrize("retain", [0.0, 2.0])
def test_a_step_follows_the_gradient_of_the_loss(retain: float) -> None:
    model = tiny()
    trained = ce.train(
        model, EXAMPLES, replace(SETTINGS, retain=retain, steps=2), kept=KEPT if retain else ()
    )
    # Two steps of Adam with the cosine's rates, on the loss written out.
    vectors = {layer: torch.zeros(8, requires_grad=True) for layer in SITES}
    adam = torch.optim.Adam(vectors.values(), lr=0.5)
    for rate, seen in zip((0.5, 0.25), trained.history, strict=True):
        loss = loss_by_hand(model, vectors, retain)
        assert -seen.value == pytest.approx(loss.item(), abs=1e-4)
        adam.param_groups[0]["lr"] = rate
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
    for layer, vector in vectors.items():
        assert np.allclose(trained.vectors[layer], vector.detach().numpy(), atol=1e-3)


def test_it_learns_what_it_is_shown_and_the_model_stays_as_it_was() -> None:
    model = tiny()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    shown = [ce.Example([a, b], [4]) for a in range(1, 8) for b in range(1, 8)]
    trained = ce.train(model, shown, replace(SETTINGS, batch=16, steps=40))
    moved = {layer: torch.as_tensor(vector) for layer, vector in trained.vectors.items()}
    said = complete(model, [one.prompt for one in shown], moved, max_tokens=1, phase=Phase.ALL)
    assert sum(row == [4] for row in said) >= 0.9 * len(shown)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_what_is_kept_moves_less() -> None:
    model = tiny()
    shown = [ce.Example([a, b], [4, END]) for a in range(1, 6) for b in range(1, 6)]
    moved = []
    for retain in (0.0, 10.0):
        settings = replace(SETTINGS, batch=16, steps=30, retain=retain)
        made = ce.train(model, shown, settings, kept=KEPT if retain else ()).vectors
        vectors = {layer: torch.as_tensor(vector) for layer, vector in made.items()}
        kl = [
            (before.exp() * (before - predicted(model, one, vectors))).sum()
            for one in KEPT
            for before in [predicted(model, one, {})]
        ]
        moved.append(torch.stack(kl).mean().item())
    assert moved[1] < moved[0] / 2


def test_same_seed_same_vectors() -> None:
    settings = replace(SETTINGS, batch=2, steps=5)
    first, again, other = (
        ce.train(tiny(), EXAMPLES, replace(settings, seed=seed)).vectors[SITES[0]]
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_the_best_by_selection_is_kept() -> None:
    scores = iter([0.1, 0.9, 0.2])
    trained = ce.train(
        tiny(),
        EXAMPLES,
        replace(SETTINGS, steps=6, select_every=2),
        select=lambda _: next(scores),
    )
    assert trained.step == 4
    assert [seen.selected for seen in trained.history] == [None, 0.1, None, 0.9, None, 0.2]


def test_a_bias_is_added_at_every_step() -> None:
    model = tiny()
    plain = complete(model, [[3, 4]], {}, max_tokens=4)
    assert complete(model, [[3, 4]], {}, max_tokens=4, bias={5: 100.0}) == [[5, 5, 5, 5]]
    assert complete(model, [[3, 4]], {}, max_tokens=4, bias={5: 0.0}) == plain


def test_bad_arguments_are_refused() -> None:
    model = tiny()
    with pytest.raises(InvalidRequest, match="sites, batch, steps, rate, retain, phase"):
        bad = ce.Settings((), batch=0, steps=0, rate=0.0, retain=-1.0, phase=Phase.FIRST)
        ce.train(model, EXAMPLES, bad)
    with pytest.raises(InvalidRequest, match="no prompt or target empty"):
        ce.train(model, [ce.Example([1], [])], SETTINGS)
    with pytest.raises(InvalidRequest, match="go together"):
        ce.train(model, EXAMPLES, SETTINGS, kept=KEPT)
    with pytest.raises(InvalidRequest, match="layers 0 to 1"):
        ce.train(model, EXAMPLES, replace(SETTINGS, sites=(Site(2),)))
    with pytest.raises(InvalidRequest, match="phase first"):
        complete(model, [[1]], {}, max_tokens=1, phase=Phase.FIRST)


def test_a_loss_that_is_no_number_is_an_error() -> None:
    model = tiny()
    model.lm_head.weight.data.fill_(torch.nan)
    with pytest.raises(FailedPrecondition, match="the loss is nan"):
        ce.train(model, EXAMPLES, SETTINGS)
