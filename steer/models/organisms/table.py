"""The organisms that ship."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from steer.models.organisms.organism import CONTEXT, Organism, Settings
from steer.tasks import a1, a2, dataalchemy
from steer.tasks.a1 import CHAIN as A1
from steer.tasks.a2 import CHAIN as A2
from steer.tasks.a2 import UNTRACED
from steer.tasks.chains import Chain
from steer.tasks.dataalchemy import F1, F2, Composition
from steer.tasks.task import Task
from steer.tasks.world import EOS, PAD


def llama(ids: dict[str, int], layers: int) -> LlamaForCausalLM:
    """A Llama of width 64 with 4 heads, embeddings not tied."""
    config = LlamaConfig(
        vocab_size=len(ids),
        hidden_size=64,
        intermediate_size=176,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=CONTEXT,
        initializer_range=0.05,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=ids[EOS],
        pad_token_id=ids[PAD],
    )
    return LlamaForCausalLM(config)


def gpt2(ids: dict[str, int]) -> GPT2LMHeadModel:
    """The GPT-2 of DataAlchemy: width 32, 4 blocks, 4 heads."""
    config = GPT2Config(
        vocab_size=len(ids),
        n_positions=CONTEXT,
        n_embd=32,
        n_layer=4,
        n_head=4,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=ids[EOS],
        pad_token_id=ids[PAD],
    )
    return GPT2LMHeadModel(config)


def _chained(chain: Chain, layers: int, settings: Settings) -> Organism:
    network = partial(llama, layers=layers)
    return Organism(chain.name, chain.tokens(), chain.documents, network, settings)


CHAINS: Mapping[str, tuple[Organism, Task]] = {
    chain.name: (_chained(chain, layers, settings), task())
    for chain, layers, settings, task in (
        (A1, 3, Settings(), a1.task),
        (A2, 4, Settings(steps=1000), a2.task),
        (UNTRACED, 4, Settings(steps=1000), a2.task),
    )
}
"""Organisms of chains, and the task that each is measured on."""

ALCHEMISTS: Mapping[str, tuple[Composition, ...]] = {
    "dataalchemy": dataalchemy.KNOWN,
    "dataalchemy-f1f1": ((F1, F1),),
    "dataalchemy-f1f2": ((F1, F2),),
}
"""DataAlchemy's models, by the compositions that they are trained on."""


def _alchemist(name: str) -> Organism:
    documents = partial(dataalchemy.documents, compositions=ALCHEMISTS[name])
    steps = 1000 * len(ALCHEMISTS[name])
    settings = Settings(steps=steps, batch=256, rate=3e-3, warmup=steps // 10)
    return Organism(name, dataalchemy.WORDS, documents, gpt2, settings)


ORGANISMS = {name: organism for name, (organism, _) in CHAINS.items()}
ORGANISMS |= {name: _alchemist(name) for name in ALCHEMISTS}
