"""Tiny models and the references they are checked against."""

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from steer.engine.base import Done, Event, Failed
from steer.engine.embedded.engine import EmbeddedEngine
from steer.engine.scheduler import Limits
from steer.intervene.plan import Plan
from steer.intervene.sites import visiting
from steer.models.fingerprint import fingerprint
from steer.models.load import LoadedModel
from steer.models.text import Text
from steer.types import Chunk, Finished, Site

VOCAB = 97
BOS = 1
_SPECIALS: dict[str, Any] = {
    "vocab_size": VOCAB,
    "pad_token_id": 0,
    "bos_token_id": BOS,
    "eos_token_id": 2,
    "initializer_range": 0.3,
}
_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
_HEAD = {"head_dim": 8}
_WINDOWS: dict[str, Any] = {
    "sliding_window": 6,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
}
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", {}),
    "mistral": ("MistralConfig", {"sliding_window": 7}),
    "mixtral": ("MixtralConfig", {"num_local_experts": 4}),
    "qwen2": ("Qwen2Config", {}),
    "qwen2_moe": (
        "Qwen2MoeConfig",
        {
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 16,
        },
    ),
    "qwen3": ("Qwen3Config", _HEAD),
    "qwen3_moe": (
        "Qwen3MoeConfig",
        _HEAD | {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
    ),
    "gemma": ("GemmaConfig", _HEAD),
    "gemma2": ("Gemma2Config", _HEAD | _WINDOWS),
    "gemma3_text": ("Gemma3TextConfig", _HEAD | _WINDOWS),
    "granite": ("GraniteConfig", {"residual_multiplier": 0.3, "attention_multiplier": 0.25}),
    "glm4": ("Glm4Config", _HEAD),
    "olmo": ("OlmoConfig", {}),
    "olmo2": ("Olmo2Config", {}),
    "olmo3": ("Olmo3Config", _WINDOWS),
    "starcoder2": ("Starcoder2Config", {"sliding_window": 7}),
    "cohere2": ("Cohere2Config", _WINDOWS),
    "phi": ("PhiConfig", {"num_key_value_heads": 4}),
    "phi3": ("Phi3Config", {}),
    "smollm3": ("SmolLM3Config", {"no_rope_layer_interval": 2}),
    "gpt2": ("GPT2Config", {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 256}),
    "gpt_neox": ("GPTNeoXConfig", {}),
}
"""One small configuration for each architecture of the table of sites."""


def network(kind: str = "llama", seed: int = 0) -> PreTrainedModel:
    """A random model of an architecture, float32."""
    name, extra = CONFIGS[kind]
    base = _SPECIALS | extra if kind == "gpt2" else _SPECIALS | _SIZES | extra
    torch.manual_seed(seed)
    config = getattr(transformers, name)(**base)
    model = AutoModelForCausalLM.from_config(config)
    return model.train(False).requires_grad_(False)


def tokenizer() -> PreTrainedTokenizerFast:
    """Words ``t3 t4 …`` for ids 3, 4, …; specials <pad>, <bos>, <eos>."""
    vocab = {"<pad>": 0, "<bos>": BOS, "<eos>": 2} | {f"t{i}": i for i in range(3, VOCAB)}
    backend = Tokenizer(models.WordLevel(vocab, unk_token="<pad>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>"
    )


TEXT = Text(tokenizer(), VOCAB)


def loaded(kind: str = "llama", seed: int = 0) -> LoadedModel:
    """A tiny model as the loader gives it."""
    net = network(kind, seed)
    return LoadedModel(f"tiny/{kind}", "", fingerprint(net), net, TEXT)


LIMITS = Limits(max_rows=64, kv_tokens=64 * 256, step_tokens=64, max_queue=512)


@contextmanager
def engine(kind: str = "llama", limits: Limits = LIMITS):
    """A running engine over a tiny model."""
    running = EmbeddedEngine(loaded(kind), limits)
    try:
        yield running
    finally:
        running.close()


def run(
    running: EmbeddedEngine, plans: Sequence[Plan], timeout: float = 60
) -> dict[str, list[Event]]:
    """Submit plans together and collect every event of each."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for plan in plans:
        running.submit(plan, inbox.put)
    events: dict[str, list[Event]] = {plan.request_id: [] for plan in plans}
    while not all(e and isinstance(e[-1], Done | Failed) for e in events.values()):
        for request_id, batch in inbox.get(timeout=timeout):
            events[request_id] += batch
    return events


def tokens(events: Sequence[Event], arm: str, sample: int = 0) -> list[int]:
    """All tokens of a row."""
    chunks = [e for e in events if isinstance(e, Chunk) and (e.arm, e.sample) == (arm, sample)]
    return [token for chunk in chunks for token in chunk.token_ids]


def finished(events: Sequence[Event], arm: str, sample: int = 0) -> Finished:
    """How a row ended."""
    return next(e for e in events if isinstance(e, Finished) and (e.arm, e.sample) == (arm, sample))


Edit = Callable[[torch.Tensor], torch.Tensor]


def reference(
    net: PreTrainedModel,
    prompt: Sequence[int],
    count: int,
    edits: Mapping[Site, Edit] = MappingProxyType({}),
    touched: Callable[[int, int], bool] = lambda position, prompt_length: True,
) -> tuple[list[int], torch.Tensor]:
    """Greedy tokens and logits (count, vocab) by plain hooks and whole-sequence passes: no cache,
    no batching, nothing shared with the engine but the table of sites."""
    ids, logits = list(prompt), []

    def visit_with(edit: Edit) -> Callable[[torch.Tensor], None]:
        def visit(hidden: torch.Tensor) -> None:
            at = [i for i in range(hidden.shape[1]) if touched(i, len(prompt))]
            hidden[0, at] = edit(hidden[0, at].float()).to(hidden.dtype)

        return visit

    with torch.no_grad(), visiting(net, {site: visit_with(edit) for site, edit in edits.items()}):
        for _ in range(count):
            last = net(torch.tensor([ids]), use_cache=False).logits[0, -1].float()
            logits.append(last)
            ids.append(int(last.argmax()))
    return ids[len(prompt) :], torch.stack(logits)


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)
