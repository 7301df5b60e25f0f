"""`steer critique` and branched evaluations end to end."""

import json

import pytest
from typer.testing import CliRunner

from steer.cli.local_server import local_server
from steer.cli.main import app

pytest.importorskip("torch")
TEMPLATES = ["--critique-template", "{question}{answer} {question}",
             "--revise-template", "{answer}{critique} {question}"]  # fmt: skip


@pytest.fixture(scope="module")
def invoke():
    with local_server("organism/a1") as address:
        environment = {"STEER_TARGET": address, "COLUMNS": "200"}
        yield lambda *given: CliRunner().invoke(app, list(given), env=environment)


def test_a_table_of_what_was_corrected_and_the_texts(invoke):
    options = ["--task", "a1", "--vector", "a1-rloo", "--n", "8", "--run", "mine"]
    stages = ["--stage", "revise", "--random-control", "1"]
    done = invoke("critique", *options, *TEMPLATES, *stages)
    assert done.exit_code == 0, done.output
    for word in ("r_c %", "r_o %", "baseline", "steered", "random-1", "critique:", "revised ("):
        assert word in done.stdout
    assert "r_o %" in invoke("report", "mine").stdout
    again = invoke("critique", "--run", "mine", "--json")
    revision = json.loads(again.stdout)["revision"]
    assert revision["stages"] == ["revise"]
    assert set(revision["arms"]) == {f"{a}/revised" for a in ("baseline", "steered", "random-1")}


def test_an_evaluation_can_be_branched_and_says_where_no_answer_was_found(invoke):
    options = ["evaluate", "--task", "a1", "--n", "8", "--controls", "none", "--branches", "3"]
    done = invoke(*options)
    assert done.exit_code == 0, done.output
    assert "baseline/aggregated" in done.stdout and "left to greedy" not in done.stdout
    never = invoke(*options, "--extractor", "regex", "--pattern", "never")
    assert "8 of 8 problems have no branch with an answer" in never.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say --task"),
        (["--task", "a1", "--critique-template", "{why}", *TEMPLATES[2:]], "critique_template"),
        (["--task", "a1", "--critique-template", "so?"], "critique_template"),
    ],
)
def test_bad_arguments(invoke, arguments, said):
    done = invoke("critique", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
