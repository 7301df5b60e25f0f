"""Models that our attention would change without a word."""

import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM

from steer.engine.embedded import selfcheck
from steer.engine.embedded.forward import adopt
from steer.engine.embedded.selfcheck import unchanged
from steer.errors import FailedPrecondition
from tests.helpers import CONFIGS, network


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", CONFIGS)
def test_every_tested_architecture_says_the_same(kind, dtype, monkeypatch):
    monkeypatch.setattr(selfcheck, "LAYOUTS", {})
    net, passes = network(kind), []
    net.register_forward_hook(lambda *_: passes.append(1))
    for parameter in net.parameters():  # buffers such as rotary frequencies stay float32
        parameter.data = parameter.data.to(dtype)
    with unchanged(net):
        adopt(net)
    assert len(passes) == 1 + len(selfcheck.PARTS)


def test_an_architecture_of_the_table_costs_nothing():
    net = network()
    net.register_forward_hook(lambda *_: pytest.fail("a pass was run"))
    with unchanged(net):
        adopt(net)


SIZES = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "initializer_range": 0.3,
}


@pytest.mark.parametrize(
    ("name", "extra", "why"),
    [
        ("DiffLlamaConfig", {}, "in pass 1 logits are off by"),
        ("GptOssConfig", {"head_dim": 8, "num_local_experts": 4}, "a pass fails.*sinks"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_attention_that_does_more_than_attend_is_refused(name, extra, why, dtype):
    torch.manual_seed(0)
    net = AutoModelForCausalLM.from_config(getattr(transformers, name)(**SIZES, **extra))
    net = net.train(False).to(dtype)
    with pytest.raises(FailedPrecondition, match=why) as refused, unchanged(net):
        adopt(net)
    assert refused.value.reason == "UNSUPPORTED_ARCHITECTURE"
