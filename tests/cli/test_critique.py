"""`steer critique` end to end."""

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
        yield lambda *given: CliRunner().invoke(app, ["critique", *given], env=environment)


def test_a_table_of_what_was_corrected_and_the_texts(invoke):
    options = ["--task", "a1", "--vector", "a1-rloo", "--n", "8", "--run", "mine"]
    done = invoke(*options, *TEMPLATES, "--stage", "revise", "--random-control", "1")
    assert done.exit_code == 0, done.output
    for word in ("r_c %", "r_o %", "baseline", "steered", "random-1", "critique:", "revised ("):
        assert word in done.stdout
    again = invoke("--run", "mine", "--json")
    revision = json.loads(again.stdout)["revision"]
    assert revision["stages"] == ["revise"]
    assert set(revision["arms"]) == {f"{a}/revised" for a in ("baseline", "steered", "random-1")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say --task"),
        (["--task", "a1", "--critique-template", "{why}", *TEMPLATES[2:]], "critique_template"),
        (["--task", "a1", "--critique-template", "so?"], "critique_template"),
    ],
)
def test_bad_arguments(invoke, arguments, said):
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
