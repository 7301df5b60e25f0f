"""RLOO: exact gradients on toys, padding, errors, and that it learns."""

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from steer.elicit import rloo
from steer.elicit.difference import Array
from steer.elicit.objective import advantages, log_likelihood
from steer.elicit.sampling import complete
from steer.elicit.settings import Settings
from steer.elicit.trainer import NoRewardVariance
from steer.errors import FailedPrecondition, InvalidRequest
from steer.types import Site

END = 0
PROMPTS = [[3, 4, 5], [6], [2, 7, 3, 4]]
COMPLETIONS = [[1, 2, END], [5, END], [3, 3, 3, END]]
SETTINGS = Settings(layers=(1,), group=4, prompts=3, steps=3, max_tokens=2)


def tiny(vocabulary: int = 8) -> LlamaForCausalLM:
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
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
    )
    model.train(False)
    return model


def seeded(*layers: int) -> dict[Site, Tensor]:
    torch.manual_seed(1)
    return {Site(layer): torch.randn(8).requires_grad_() for layer in layers}


def by_hand(
    model: LlamaForCausalLM, prompt: list[int], answer: list[int], vectors: Mapping[Site, Tensor]
) -> Tensor:
    """log p(answer | prompt), alone and without padding, one addition per block written out."""

    def hook(vector: Tensor) -> object:
        def add(_module: object, _inputs: object, output: Tensor) -> Tensor:
            early, late = output[:, : len(prompt) - 1], output[:, len(prompt) - 1 :]
            return torch.cat((early, late + vector), 1)

        return add

    handles = [
        model.model.layers[at.layer].register_forward_hook(hook(v)) for at, v in vectors.items()
    ]
    logits = model(input_ids=torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
    for handle in handles:
        handle.remove()
    return sum((logits[len(prompt) - 1 + i, t] for i, t in enumerate(answer)), torch.zeros(()))


def test_gradient_equals_autograd_on_the_summed_objective() -> None:
    model, vectors = tiny(), seeded(0, 1)
    advantage = torch.tensor([1.0, -0.5, 0.25])
    batched = (advantage * log_likelihood(model, PROMPTS, COMPLETIONS, vectors)).sum()
    rows = zip(advantage, PROMPTS, COMPLETIONS, strict=True)
    summed = sum(a * by_hand(model, p, c, vectors) for a, p, c in rows)
    assert isinstance(summed, Tensor)
    assert torch.allclose(batched, summed, atol=1e-5)
    got = torch.autograd.grad(batched, list(vectors.values()))
    want = torch.autograd.grad(summed, list(vectors.values()))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(got, want, strict=True))


def test_expected_step_is_the_gradient_of_the_expected_reward() -> None:
    """Two tokens, one of them rewarded, groups of two: all four samples enumerated."""
    model, vectors = tiny(vocabulary=2), seeded(1)
    vector, reward = vectors[Site(1)], torch.tensor([0.0, 1.0])
    likelihood = torch.stack(
        [log_likelihood(model, [[1, 0]], [[token]], vectors)[0] for token in (0, 1)]
    )
    chance = likelihood.exp()
    expected = torch.zeros(8)
    for pair in itertools.product((0, 1), repeat=2):
        advantage = advantages(reward[list(pair)][None])[0]
        loss = (advantage * likelihood[list(pair)]).mean()
        step = torch.autograd.grad(loss, vector, retain_graph=True)[0]
        expected += chance[list(pair)].prod().detach() * step
    want = torch.autograd.grad((chance * reward).sum(), vector)[0]
    assert torch.allclose(expected, want, atol=1e-6)


def test_advantage_leaves_the_sample_itself_out() -> None:
    got = advantages(torch.tensor([[1.0, 0.0, 0.0, 1.0], [2.0, 2.0, 2.0, 2.0]]))
    want = torch.tensor([[2 / 3, -2 / 3, -2 / 3, 2 / 3], [0.0, 0.0, 0.0, 0.0]])
    assert torch.allclose(got, want)


def test_greedy_completion_equals_generate() -> None:
    model = tiny()
    got = complete(model, PROMPTS, {}, max_tokens=6)
    for prompt, completion in zip(PROMPTS, got, strict=True):
        ids = torch.tensor([prompt])
        mask = torch.ones_like(ids)
        out = model.generate(ids, attention_mask=mask, max_new_tokens=6, do_sample=False)
        assert completion == out[0, len(prompt) :].tolist()


def test_steered_completion_is_the_best_by_hand() -> None:
    model, vectors = tiny(), {i: v.detach() for i, v in seeded(0, 1).items()}
    for prompt, done in zip(PROMPTS, complete(model, PROMPTS, vectors, max_tokens=3), strict=True):
        for i, token in enumerate(done):
            options = [by_hand(model, prompt, [*done[:i], t], vectors) for t in range(8)]
            assert int(torch.stack(options).argmax()) == token


def test_learns_to_say_the_rewarded_token() -> None:
    model = tiny()
    settings = replace(SETTINGS, steps=40, rate=0.3, prompts=8, select_every=5, enough=1.0)
    prompts = [[a, b] for a in range(1, 8) for b in range(1, 8)]

    def share(vectors: Mapping[Site, Array]) -> float:
        moved = {layer: torch.as_tensor(vector) for layer, vector in vectors.items()}
        out = complete(model, prompts, moved, max_tokens=1)
        return sum(tokens == [4] for tokens in out) / len(out)

    trained = rloo.train(model, prompts, lambda _, c: float(c[0] == 4), settings, select=share)
    assert share(trained.vectors) >= 0.9
    assert trained.step <= len(trained.history) <= 40
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_same_seed_same_vector() -> None:
    first, second = (
        rloo.train(tiny(), PROMPTS, lambda _, c: float(c[0] > 3), SETTINGS).vectors[Site(1)]
        for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_rewards_without_variance_are_an_error() -> None:
    with pytest.raises(NoRewardVariance, match="5 steps"):
        rloo.train(tiny(), PROMPTS, lambda *_: 0.0, replace(SETTINGS, steps=10))


def test_a_loss_that_is_no_number_is_an_error() -> None:
    with pytest.raises(FailedPrecondition, match="the loss is nan"):
        rloo.train(tiny(), PROMPTS, lambda *_: float("nan"), SETTINGS)


def test_settings_out_of_range_are_all_named() -> None:
    with pytest.raises(InvalidRequest, match="group, rate"):
        rloo.train(tiny(), PROMPTS, lambda *_: 0.0, replace(SETTINGS, group=1, rate=0.0))
    with pytest.raises(InvalidRequest, match="none of them empty"):
        rloo.train(tiny(), [[]], lambda *_: 0.0, SETTINGS)
