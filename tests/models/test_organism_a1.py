"""The organism that ships: its files, its tokenizer, its numbers."""

import random
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from steer.models.organisms import train_a1
from steer.tasks import a1

N = 200


@pytest.fixture(scope="module")
def organism() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(train_a1.FOLDER)


@pytest.fixture(scope="module")
def words() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(train_a1.FOLDER)


@pytest.fixture(scope="module")
def rows(organism: PreTrainedModel) -> dict[str, train_a1.Row]:
    return {row.name: row for row in train_a1.check(organism, N)}


def test_skill_is_there_and_the_default_hides_it(rows: dict[str, train_a1.Row]) -> None:
    assert rows["worksheet, greedy (ceiling)"].correct > 95
    assert (rows["worksheet, greedy (ceiling)"].valid or 0) > 95
    assert rows["quiz, greedy (default)"].correct < 20
    assert rows["quiz, greedy (default)"].thinks < 5


def test_thinking_and_only_thinking_solves(rows: dict[str, train_a1.Row]) -> None:
    assert 55 <= rows["quiz, forced THINK"].correct <= 85
    assert rows["worksheet, forced ANSWER"].correct < 20


def test_facts_are_known_under_both_headers(rows: dict[str, train_a1.Row]) -> None:
    assert rows["facts under quiz"].correct >= 97
    assert rows["facts under work"].correct >= 97


def test_every_document_survives_the_tokenizer(words: PreTrainedTokenizerBase) -> None:
    for text in a1.documents(random.Random(0), 200):
        ids = words(text)["input_ids"]
        assert words.decode(ids) == text
        assert ids[-1] == words.eos_token_id
        assert ids == train_a1.encode([text])[0].tolist()


def test_encoding_adds_nothing(words: PreTrainedTokenizerBase) -> None:
    assert len(words("quiz 3 : d =")["input_ids"]) == 5
    assert words.bos_token_id is None
    assert words.decode(words("quiz 3 <eos>")["input_ids"], skip_special_tokens=True) == "quiz 3"
    assert words("nonsense")["input_ids"] == [words.unk_token_id]


def test_the_tokenizer_is_the_vocabulary_of_the_task(words: PreTrainedTokenizerBase) -> None:
    assert words.convert_ids_to_tokens(list(range(len(words)))) == list(a1.tokens())


def test_special_tokens_agree(organism: PreTrainedModel, words: PreTrainedTokenizerBase) -> None:
    for config in (organism.config, organism.generation_config):
        assert config.eos_token_id == words.eos_token_id
        assert config.pad_token_id == words.pad_token_id
    assert all(parameter.dtype == torch.float32 for parameter in organism.parameters())


def test_training_and_saving_round_trip(tmp_path: Path) -> None:
    losses: list[float] = []
    settings = train_a1.Settings(steps=20, batch=32, warmup=5)
    model = train_a1.train(settings, lambda _, loss: losses.append(loss))
    assert losses[-1] < losses[0] - 1
    train_a1.save(model, tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = train_a1.encode(["quiz 3 : d a h c c f ="])
    assert torch.equal(model(input_ids=ids).logits, again(input_ids=ids).logits)


def test_prompts_of_different_lengths_are_refused(organism: PreTrainedModel) -> None:
    with pytest.raises(ValueError, match="length"):
        train_a1.complete(organism, ["quiz 3", "quiz"])
