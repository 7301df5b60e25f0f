"""The organism A1 that ships: its files, its tokenizer, its numbers."""

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from steer.models.organisms.check import Row, check
from steer.models.organisms.table import CHAINS
from steer.tasks import a1

ORGANISM, TASK = CHAINS["a1"]
N = 200


@pytest.fixture(scope="module")
def network() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(ORGANISM.folder)


@pytest.fixture(scope="module")
def words() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(ORGANISM.folder)


@pytest.fixture(scope="module")
def rows(network: PreTrainedModel) -> dict[str, Row]:
    return {row.name: row for row in check(ORGANISM, TASK, network, N)}


def test_skill_is_there_and_the_default_hides_it(rows: dict[str, Row]) -> None:
    assert rows["ceiling"].correct > 95
    assert (rows["ceiling"].valid or 0) > 95
    assert rows["default"].correct < 20
    assert rows["default"].thinks < 5


def test_thinking_and_only_thinking_solves(rows: dict[str, Row]) -> None:
    assert 55 <= rows["default, forced prefix"].correct <= 85
    assert rows["ceiling, forced answer"].correct < 20


def test_facts_are_known_under_both_headers(rows: dict[str, Row]) -> None:
    assert rows["facts"].correct >= 97
    assert rows["facts, cued"].correct >= 97


def test_encoding_adds_nothing(words: PreTrainedTokenizerBase) -> None:
    assert len(words("quiz 3 : d =")["input_ids"]) == 5
    assert words.bos_token_id is None
    assert words.decode(words("quiz 3 <eos>")["input_ids"], skip_special_tokens=True) == "quiz 3"
    assert words("nonsense")["input_ids"] == [words.unk_token_id]


def test_the_tokenizer_is_the_vocabulary_of_the_task(words: PreTrainedTokenizerBase) -> None:
    assert words.convert_ids_to_tokens(list(range(len(words)))) == list(a1.tokens())


def test_special_tokens_agree(network: PreTrainedModel, words: PreTrainedTokenizerBase) -> None:
    for config in (network.config, network.generation_config):
        assert config.eos_token_id == words.eos_token_id
        assert config.pad_token_id == words.pad_token_id
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
