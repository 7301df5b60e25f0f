"""``steer inspect`` on A1, whose vectors act mostly through their first token."""

import json
from functools import partial

import pytest
from typer.testing import CliRunner

from steer.cli.local_server import local_server
from steer.cli.main import app

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def invoke():
    with local_server("organism/a1") as target:
        yield partial(CliRunner().invoke, app, env={"STEER_TARGET": target, "COLUMNS": "120"})


def test_most_of_the_gain_is_the_first_token_and_the_rest_comes_later(invoke):
    done = invoke(["inspect", "a1-rloo", "--task", "a1", "--n", "40", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["steered"] > 0.95 and found["baseline"] < 0.3
    share = found["first_token_equivalent"]
    assert 0.5 < share["value"] < 0.95 and share["low"] < share["value"] < share["high"]
    # Acting at P-1 alone is forcing the token that it brings about there.
    assert found["upto"]["1"] == share
    assert found["upto"]["12"]["value"] > 0.95
    assert "0" not in found["upto"]
    assert sum(found["at"].values()) == pytest.approx(found["upto"]["12"]["value"])


def test_the_prompt_alone_is_a_part_where_it_acts_there(invoke):
    done = invoke(["inspect", "a1-rloo", "--task", "a1", "--n", "20", "--phase", "all"])
    assert done.exit_code == 0, done.output
    assert "at the prompt alone" in done.stdout and "at the first 2 tokens" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing", "--task", "a1"], "VECTOR_NOT_FOUND"),
        (["a1-rloo", "--task", "none"], "no task 'none'"),
        (["a1-rloo", "--task", "a1", "--split", "none"], "unknown split"),
    ],
)
def test_what_there_is_not(invoke, arguments, says):
    done = invoke(["inspect", *arguments])
    assert done.exit_code in (1, 2)
    assert says in done.output
