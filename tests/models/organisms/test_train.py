"""Training an organism, and what becomes of it on disk."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from steer.models.organisms.organism import Organism
from steer.models.organisms.table import ORGANISMS
from steer.models.organisms.train import save, train

EVERY = pytest.mark.parametrize("organism", ORGANISMS.values(), ids=ORGANISMS)
STEPS = 20


def short(organism: Organism, seed: int = 0) -> tuple[torch.nn.Module, list[float]]:
    losses: list[float] = []
    settings = replace(organism.settings, steps=STEPS, batch=32, warmup=5, seed=seed)
    return train(organism, settings, lambda _, loss: losses.append(loss)), losses


@EVERY
def test_training_learns_and_what_is_saved_is_the_same(organism: Organism, tmp_path: Path) -> None:
    model, losses = short(organism)
    assert losses[-1] < losses[0] - 0.1
    save(organism, model, tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = organism.encode(organism.documents(random.Random(1), 4))
    assert torch.equal(model(input_ids=ids).logits, again(input_ids=ids).logits)
    words = AutoTokenizer.from_pretrained(tmp_path)
    for text in organism.documents(random.Random(2), 20):
        assert words(text)["input_ids"] == organism.encode([text])[0].tolist()
        assert words.decode(words(text)["input_ids"]) == text


def test_a_seed_decides_the_training() -> None:
    organism = ORGANISMS["a2"]
    assert short(organism)[1] == short(organism)[1] != short(organism, seed=1)[1]


def test_prompts_of_different_lengths_are_refused() -> None:
    organism = ORGANISMS["a1"]
    with pytest.raises(ValueError, match="length"):
        organism.complete(organism.untrained(), ["quiz 3", "quiz"])
