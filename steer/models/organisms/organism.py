"""What a model organism is before it is trained: its words, its corpus, its network."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from steer.tasks.world import EOS, PAD, UNK

FOLDERS = Path(__file__).parent
CONTEXT = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """steps: optimiser steps. batch: documents per step. rate: peak learning rate of AdamW,
    reached after `warmup` steps and brought to zero by a cosine. seed: weights and corpus."""

    steps: int = 2500
    batch: int = 160
    rate: float = 4e-3
    warmup: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Organism:
    """words: the vocabulary in the order of token ids. documents: that many texts of the corpus,
    words separated by single spaces. network: the model, its weights drawn from torch's global
    generator."""

    name: str
    words: tuple[str, ...]
    documents: Callable[[random.Random, int], Iterable[str]]
    network: Callable[[dict[str, int]], PreTrainedModel]
    settings: Settings

    @property
    def folder(self) -> Path:
        """Where it is bundled."""
        return FOLDERS / self.name

    @cached_property
    def ids(self) -> dict[str, int]:
        """Token id of every word."""
        return {word: i for i, word in enumerate(self.words)}

    def untrained(self, seed: int = 0) -> PreTrainedModel:
        """The network before training; the seed decides its weights."""
        torch.manual_seed(seed)
        return self.network(self.ids)

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The word-level tokenizer: one id per word, nothing added on encoding."""
        inner = Tokenizer(WordLevel(self.ids, unk_token=UNK))
        inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        # transformers ships its constructors and `generate` without types.
        build: Any = PreTrainedTokenizerFast
        built: PreTrainedTokenizerFast = build(
            tokenizer_object=inner,
            eos_token=EOS,
            pad_token=PAD,
            unk_token=UNK,
            model_max_length=CONTEXT,
            clean_up_tokenization_spaces=False,
            model_input_names=["input_ids", "attention_mask"],
        )
        return built

    def encode(self, texts: Iterable[str]) -> Tensor:
        """Token ids of the texts, padded on the right with `<pad>`: int64 (batch, tokens)."""
        rows = [torch.tensor([self.ids[word] for word in text.split()]) for text in texts]
        return torch.nn.utils.rnn.pad_sequence(
            rows, batch_first=True, padding_value=float(self.ids[PAD])
        )

    @torch.no_grad()
    def complete(
        self, model: PreTrainedModel, prompts: Iterable[str], max_tokens: int = 10
    ) -> list[str]:
        """Greedy completions, without the prompt and without padding; `<eos>` is kept.

        The prompts must all have the same number of tokens (ValueError otherwise).
        """
        ids = self.encode(prompts)
        if (ids == self.ids[PAD]).any():
            raise ValueError("the prompts differ in length")
        generate: Any = model.generate
        out: Tensor = generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=max_tokens, do_sample=False
        )
        rows = out[:, ids.shape[1] :].tolist()
        return [" ".join(self.words[i] for i in row if self.words[i] != PAD) for row in rows]
