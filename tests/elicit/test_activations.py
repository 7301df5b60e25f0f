"""Activations against a reference computed with hand-written hooks."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from steer.elicit.activations import mean_norm, residuals
from steer.elicit.within import stratified_shuffles, within_class
from steer.errors import InvalidRequest
from steer.types import Site

PROMPTS = [[1, 2, 3, 4], [5, 6], [7, 8, 9], [3], [2, 4, 6, 8, 10]]


def llama() -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=16,
            hidden_size=8,
            intermediate_size=12,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=1,
        )
    )


def gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(GPT2Config(vocab_size=16, n_embd=8, n_layer=3, n_head=2, n_positions=16))


@pytest.fixture(params=[llama, gpt2])
def model(request: pytest.FixtureRequest) -> Iterator[PreTrainedModel]:
    torch.manual_seed(0)
    built: PreTrainedModel = request.param()
    built.train(False)
    yield built


def reference(model: PreTrainedModel, prompts: list[list[int]], layer: int) -> Tensor:
    """One prompt at a time, so that no padding can hide a mistake."""
    blocks = model.transformer.h if isinstance(model, GPT2LMHeadModel) else model.model.layers
    found: list[Tensor] = []

    def hook(_module: object, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
        found.append((output[0] if isinstance(output, tuple) else output)[0, -1].detach().clone())

    handle = blocks[layer].register_forward_hook(hook)
    for prompt in prompts:
        model(input_ids=torch.tensor([prompt]))
    handle.remove()
    return torch.stack(found)


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_equals_hand_hooks(model: PreTrainedModel, batch: int) -> None:
    got = residuals(model, PROMPTS, [Site(0), Site(2)], batch=batch)
    for at, found in got.items():
        want = reference(model, PROMPTS, at.layer)
        np.testing.assert_allclose(found, want.numpy(), atol=1e-5)
        assert found.dtype == np.float32
        assert mean_norm(found) == pytest.approx(float(want.norm(dim=1).mean()), rel=1e-5)


def test_last_layer_is_taken_before_the_final_norm(model: PreTrainedModel) -> None:
    got = residuals(model, [[1, 2, 3]], [Site(2)])[Site(2)][0]
    out = model(input_ids=torch.tensor([[1, 2, 3]]), output_hidden_states=True)
    assert not np.allclose(got, out.hidden_states[-1][0, -1].detach().numpy(), atol=1e-3)


def test_starts_keep_later_tokens_too(model: PreTrainedModel) -> None:
    whole = residuals(model, [[1, 2, 3, 4], [5, 6]], [Site(1)], starts=[1, 0])[Site(1)]
    assert whole.shape == (5, 8)
    last = residuals(model, [[1, 2, 3, 4], [5, 6]], [Site(1)])[Site(1)]
    np.testing.assert_allclose(whole[[2, 4]], last, atol=1e-6)
    assert mean_norm(last) == pytest.approx(float(np.linalg.norm(last, axis=1).mean()))


def test_nothing_of_the_model_is_changed(model: PreTrainedModel) -> None:
    model.train(True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    residuals(model, PROMPTS, [Site(1)])
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_the_model_lacks_is_refused(model: PreTrainedModel, layer: int) -> None:
    with pytest.raises(InvalidRequest, match="0 to 2"):
        residuals(model, PROMPTS, [Site(layer)])


def test_empty_input_is_refused(model: PreTrainedModel) -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        residuals(model, [[1], []], [Site(0)])


def test_the_spread_within_classes_is_their_pooled_covariance():
    chance = np.random.default_rng(0)
    mix = chance.standard_normal((6, 6))
    classes = [
        (chance.standard_normal((200, 6)) @ mix + offset).astype(np.float32)
        for offset in (0.0, 50.0)
    ]
    factor = within_class(classes)
    scatter = sum((len(one) - 1) * np.cov(one, rowvar=False) for one in classes)
    np.testing.assert_allclose(factor.T @ factor, scatter / (400 - 2), rtol=1e-3, atol=1e-3)
    assert within_class(classes, rank=2).shape == (2, 6)
    assert within_class([one[:1] for one in classes]).shape == (0, 6)


def _classes(chance: np.random.Generator, sizes: tuple[int, ...]) -> list[list[NDArray]]:
    """Texts of one to three tokens; the classes are far apart along the first axis."""
    axis = np.eye(1, 6).astype(np.float32)[0]
    return [
        [
            chance.standard_normal((1 + i % 3, 6)).astype(np.float32) + 50 * side * axis
            for i in range(size)
        ]
        for side, size in enumerate(sizes)
    ]


def test_labels_shuffled_inside_the_classes_know_nothing_of_the_classes():
    classes = _classes(np.random.default_rng(0), (61, 80))
    shuffles = stratified_shuffles(classes, count=400)
    assert shuffles.shape == (400, 6) and len(np.unique(shuffles, axis=0)) == 400
    # The mean difference of halves of n texts has four n-ths of their covariance.
    scatter = np.cov(shuffles, rowvar=False)
    texts = [
        text.sum(0) - len(text) * np.concatenate(one).mean(0) for one in classes for text in one
    ]
    tokens = sum(len(text) for one in classes for text in one)
    expected = 4 * np.cov(np.array(texts), rowvar=False) * len(texts) / tokens**2
    np.testing.assert_allclose(np.diag(scatter), np.diag(expected), rtol=0.3)
    np.testing.assert_array_equal(shuffles, stratified_shuffles(classes, count=400))
    assert (shuffles != stratified_shuffles(classes, seed=1, count=400)).any()


@pytest.mark.parametrize("sizes", [(1, 1), (1,), (0,)])
def test_one_text_of_a_class_can_not_be_shuffled(sizes: tuple[int, ...]):
    classes = [[np.ones((2, 6), np.float32)] * max(1, size) for size in sizes]
    assert stratified_shuffles(classes).shape == (0, 6)


def test_equal_texts_have_no_shuffles():
    same = np.full((2, 6), 0.1, np.float32)
    assert stratified_shuffles([[same] * 9, [same + 1] * 8]).shape == (0, 6)
