"""Organism A2 through a real server: a vector that costs the facts, behind a gate of the prompt."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import steer
from steer.client.client import Client
from steer.tasks import a2
from tests.server.conftest import serving

TASK = a2.task()
GATE = steer.probe("a2-gate", above=0.5, at=(0, "resid_mid"))
GATED = steer.add("a2-ce-bare").when(GATE)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("a2")
    with serving(folder, model="organism/a2") as served:
        yield served.client


def test_a_problem_opens_the_gate_and_is_mostly_solved(client: Client) -> None:
    solved = 0
    for item in TASK.items("report", 40):
        result = client.compare(item.prompt.text or "", GATED, max_tokens=TASK.max_tokens)
        assert all(receipt.tokens > 0 for receipt in result.steered.receipts)
        solved += TASK.grade(item, result.steered.text).correct
    assert solved >= 24


def test_a_fact_leaves_it_closed_and_is_recalled(client: Client) -> None:
    for item in TASK.retention():
        result = client.compare(item.prompt.text or "", GATED, max_tokens=TASK.max_tokens)
        assert result.steered.text == result.baseline.text
        assert TASK.grade(item, result.steered.text).correct
