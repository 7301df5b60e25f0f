"""Branched arms of an evaluation: CoT-decoding over a task, with its controls."""

from dataclasses import replace

import pytest

from steer.errors import InvalidRequest
from steer.runs.evaluate.branching import RULES
from steer.specs import Controls
from steer.tasks.catalog import load_task
from steer.types import Branching, Extractor
from tests.runs.evaluate.conftest import SPEC, evaluated
from tests.runs.evaluate.test_checks import refused

BRANCHED = replace(SPEC, controls=Controls.NONE, strengths=(), branching=Branching(10))


@pytest.fixture(scope="module")
def done(a1):
    return evaluated(BRANCHED, a1)


def test_aggregated_answers_find_what_greedy_decoding_and_log_probability_do_not(done):
    assert done.accuracy("baseline/aggregated") > 0.25 > done.accuracy("baseline")
    assert done.accuracy("baseline/logprob") < 0.25
    assert done.accuracy("baseline/random") < 0.3
    (row,) = (row for row in done.report["table"] if row["arm"] == "baseline/aggregated")
    assert row["role"] == "branched" and row["difference"] > 0


def test_every_rule_of_every_arm_has_each_problem_once(done):
    for arm in ("baseline", "steered"):
        plain = {row["item"] for row in done.rows(arm)}
        for rule in RULES:
            rows = done.rows(f"{arm}/{rule}")
            assert len(rows) == SPEC.n and {row["item"] for row in rows} == plain
    told = done.report["branching"]
    assert (told["k"], told["extractor"]) == (10, "number")
    counts = told["arms"]["baseline"]
    assert counts["problems"] == SPEC.n and counts["branches"] == 10 * SPEC.n
    assert 0 < counts["answered"] <= counts["branches"] and counts["left_to_greedy"] == 0


def test_a_steered_arm_is_branched_under_its_vector(done):
    assert done.accuracy("steered/logprob") > 0.9


def test_problems_without_any_answer_are_left_to_greedy_decoding_and_counted(a1):
    never = Branching(3, Extractor.REGEX, "never")
    done = evaluated(replace(BRANCHED, arms=(), n=8, branching=never), a1)
    counts = done.report["branching"]["arms"]["baseline"]
    assert counts == {"problems": 8, "branches": 24, "answered": 0, "left_to_greedy": 8}
    assert done.accuracy("baseline/aggregated") == done.accuracy("baseline")


def test_branches_of_sampled_evaluations_are_greedy_all_the_same(a1):
    sampled = replace(BRANCHED.sampling, temperature=1.0)
    spec = replace(BRANCHED, arms=(), n=8, samples=2, sampling=sampled)
    greedy = evaluated(replace(BRANCHED, arms=(), n=8), a1)
    name = "baseline/aggregated"
    assert evaluated(spec, a1).rows(name) == greedy.rows(name)


@pytest.mark.parametrize(
    ("branching", "field"),
    [
        (Branching(1000), "branching.k"),
        (Branching(3, Extractor.REGEX, "("), "branching.pattern"),
    ],
)
def test_what_can_not_be_branched(a1, branching, field):
    error = refused(replace(BRANCHED, branching=branching), a1)
    assert isinstance(error, InvalidRequest)
    assert f"spec.evaluate.{field}" in {violation.field for violation in error.violations}


def test_the_tasks_own_answers_are_those_of_its_branches():
    task = load_task("a1")
    item = task.items("report", 1)[0]
    from steer.tasks.extract import extractor

    for text in (" THINK 1 2 3 4 5 ANSWER 6", " ANSWER 7"):
        assert task.grade(item, text).answer == extractor("number").read(text)
