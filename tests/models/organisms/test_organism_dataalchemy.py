"""DataAlchemy's models that ship: perfect on what they know, lost on what is new."""

import pytest
from transformers import AutoModelForCausalLM

from steer.models.organisms.dataalchemy import SCENARIOS, Row, Scenario, measure, table
from steer.models.organisms.table import ORGANISMS

N = 200


def row(scenario: Scenario) -> Row:
    folder = ORGANISMS[scenario.organism].folder
    return measure(scenario, AutoModelForCausalLM.from_pretrained(folder), N)


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.name == "in distribution"])
def test_what_was_trained_is_solved_on_new_strings(scenario: Scenario) -> None:
    found = row(scenario)
    assert min(found.whole, found.reasoning, found.answer) > 96


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.name != "in distribution"])
def test_what_is_new_is_not(scenario: Scenario) -> None:
    assert row(scenario).whole < 4


def test_the_table_has_a_line_for_each_scenario() -> None:
    rows = [Row(scenario, 10, 1.0, 2.0, 3.0, 4.0) for scenario in SCENARIOS]
    assert len(table(rows).splitlines()) == 2 + len(SCENARIOS)
