"""Branched trials through a real server: SDK, stream, and what is refused."""

import pytest

import steer
from steer.cli.main import app
from steer.tasks.catalog import load_task
from steer.types import Branches
from tests.server.conftest import Served

TASK = load_task("a1")
ITEM = TASK.items("report", 1)[0]
PROMPT = ITEM.prompt.text
MAX = TASK.max_tokens


def test_a_branched_comparison_has_greedy_decoding_and_says_what_each_rule_chooses(client):
    plain = client.compare(PROMPT, steer.add("a1-rloo"), max_tokens=MAX)
    result = client.compare(PROMPT, steer.add("a1-rloo"), max_tokens=MAX, branches=10)
    assert result.started.branching == steer.Branching(10)
    for name in ("baseline", "steered"):
        arm, branches = result[name], result[name].branches
        assert arm.token_ids == plain[name].token_ids
        assert len(arm.samples) == len(branches.branches) == 10
        assert len({branch.first_token for branch in branches.branches}) == 10
        for branch, row in zip(branches.branches, arm.samples, strict=True):
            assert row.token_ids[0] == branch.first_token
            assert len(row.margins) == len(row.logprobs) == branch.tokens
            assert branch.answer is None or branch.answer in row.text
    assert result.steered.branches.branches[0].answer == ITEM.answer
    assert result.to_dict()["branches"]["steered"]["choices"]["aggregated"] is not None
    assert "aggregated" in repr(result) and "10 branches" in result._repr_html_()
    assert plain["steered"].branches is None and "branches" not in plain.to_dict()


def test_a_stream_ends_in_branches_and_measurements(client):
    options = {"max_tokens": MAX, "branches": 3, "noise_floor": True}
    events = list(client.stream(PROMPT, steer.add("a1-rloo"), **options))
    *_, first, second, third, last = events
    assert [one.arm for one in (first, second, third)] == ["baseline", "steered", "noise_floor"]
    assert isinstance(first, Branches) and isinstance(last, tuple)
    whole = client.compare(PROMPT, steer.add("a1-rloo"), **options)
    assert whole["steered"].branches == second
    assert third.branches == first.branches  # zero strength


def test_an_answer_that_is_never_found_is_said_of_each_branch(client):
    asked = steer.Branching(3, steer.Extractor.REGEX, "maybe (.*)")
    result = client.compare(PROMPT, max_tokens=MAX, branches=asked)
    branches = result.baseline.branches
    assert [branch.answer for branch in branches.branches] == [None] * 3
    assert branches.choices.aggregated is None and branches.choices.logprob == 0
    assert "0 with an answer" in repr(result)


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"branches": 1}, ["trial.branching.k"]),
        ({"branches": 1000}, ["trial.branching.k"]),
        ({"branches": 3, "samples": 2, "temperature": 1.0},
         ["trial.samples", "trial.sampling.temperature"]),
        ({"branches": steer.Branching(500, steer.Extractor.REGEX, "(a)(b)")},
         ["trial.branching.k", "trial.branching.pattern"]),
        ({"branches": steer.Branching(2, steer.Extractor.REGEX, "(")},
         ["trial.branching.pattern"]),
        ({"branches": 2, "max_tokens": 1, "arms": {"a": steer.arm(forced_prefix="THINK")}},
         ["trial.arms[0].forced_prefix"]),
    ],
)  # fmt: skip
def test_what_can_not_be_branched_is_refused_by_field(client, options, fields):
    with pytest.raises(steer.InvalidRequest) as caught:
        client.compare(PROMPT, **({"max_tokens": MAX} | options))
    assert [violation.field for violation in caught.value.violations] == fields


def test_no_end_may_begin_a_branch_that_has_to_be_longer(client):
    vocabulary = client.model().vocab_size
    with pytest.raises(steer.InvalidRequest) as caught:
        client.compare(PROMPT, branches=vocabulary, max_tokens=4, min_tokens=2, measure=False)
    assert caught.value.violations[0].field == "trial.branching.k"


def test_more_branches_than_rows_are_too_many(client):
    vocabulary = client.model().vocab_size
    with pytest.raises(steer.TooLarge, match="branches"):
        client.compare(PROMPT, branches=vocabulary, max_tokens=4, arms={
            f"a{i}": steer.add("a1-rloo") for i in range(9)
        })  # fmt: skip


def test_captures_are_not_branched(client):
    with pytest.raises(steer.InvalidRequest, match="Compare"):
        client.capture(PROMPT, layers=[1], branches=2)


def test_the_command(served: Served):
    from typer.testing import CliRunner

    def invoke(*arguments: str):
        environment = {"STEER_TARGET": served.address, "COLUMNS": "200"}
        return CliRunner().invoke(app, ["compare", PROMPT, *arguments], env=environment)

    done = invoke("--vector", "a1-rloo", "--branches", "5", "--max-tokens", str(MAX))
    assert done.exit_code == 0, done.output
    assert "5 branches, 5 with an answer" in done.stdout and "aggregated:" in done.stdout
    assert invoke("--extractor", "number").exit_code == 2
    assert invoke("--branches", "1").exit_code == 2
