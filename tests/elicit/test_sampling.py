"""Completions under vectors: greedy ones by hand, biases, phases that there are not."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from steer.elicit.sampling import complete
from steer.errors import InvalidRequest
from steer.types import Phase, Site

END = 0
PROMPTS = [[3, 4, 5], [6], [2, 7, 3, 4]]


def tiny() -> LlamaForCausalLM:
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
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


def test_a_bias_is_added_at_every_step() -> None:
    model = tiny()
    plain = complete(model, [[3, 4]], {}, max_tokens=4)
    assert complete(model, [[3, 4]], {}, max_tokens=4, bias={5: 100.0}) == [[5, 5, 5, 5]]
    assert complete(model, [[3, 4]], {}, max_tokens=4, bias={5: 0.0}) == plain


def test_other_phases_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="phase first"):
        complete(tiny(), [[1]], {}, max_tokens=1, phase=Phase.FIRST)
