"""`steer evaluate` and `steer report` end to end, with a server of their own."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from steer.cli.evaluate import evaluate
from steer.cli.evaluation import print_evaluation
from steer.cli.local_server import local_server
from steer.cli.main import app
from steer.client import channel
from steer.report.columns import SHOWN

pytest.importorskip("torch")

ARGUMENTS = ["--task", "a1", "--vector", "a1-rloo", "--seed", "1", "--run", "mine"]


def command(*arguments):
    return [sys.executable, "-m", "steer", "evaluate", *arguments]


@pytest.fixture
def home(tmp_path):
    """Where the user's store and runs are."""
    return {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "COLUMNS": "200"}


def run(home, *arguments):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, env=home)
    assert done.returncode == 0, done.stderr
    return done


def units_done(home, run_id):
    """Units of a run that have their result, as the database has it."""
    file = Path(home["XDG_DATA_HOME"], "steer/store/.runs/runs.sqlite")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        found = database.execute("select done from steer_runs where id = ?", [run_id]).fetchone()
    return found[0] if found else 0


def test_an_evaluation_ends_in_a_verdict_and_can_be_come_back_to(home, tmp_path, monkeypatch):
    files = {kind: tmp_path / f"report.{kind}" for kind in ("html", "json", "csv")}
    options = [f"--report-{kind}={path}" for kind, path in files.items()]
    done = run(home, *ARGUMENTS, "--n", "24", "--strengths", "0.5", "--orthogonal-to", "a1-dom",
               *options)  # fmt: skip
    assert "note: the sample is small: 24 items" in done.stderr
    assert "mode switch / token preference" in done.stdout
    assert "random × 20" in done.stdout

    report = json.loads(files["json"].read_text())
    with files["csv"].open() as file:
        rows = {row["arm"]: row for row in csv.DictReader(file)}
    assert float(rows["steered"]["accuracy"]) > 0.9 > 0.5 > float(rows["baseline"]["accuracy"])
    assert rows["orthogonal"]["role"] == "orthogonal" and rows["steered×0.5"]["role"] == "dose"
    assert "run mine" in files["html"].read_text()

    again = run(home, "--run", "mine", "--json")
    assert json.loads(again.stdout) == report

    # Nobody serves, and the report is there all the same.
    monkeypatch.setattr(channel, "DEFAULT_TARGET", f"unix:{tmp_path}/nobody.sock")
    alone = {"XDG_DATA_HOME": home["XDG_DATA_HOME"], "STEER_TARGET": None}
    page = tmp_path / "alone.html"
    asked = CliRunner().invoke(app, ["report", "mine", "--html", str(page)], env=alone)
    assert asked.exit_code == 0, asked.output
    assert page.read_text() == files["html"].read_text()
    other = CliRunner().invoke(app, ["report", "nothing"], env=alone)
    assert other.exit_code == 3 and "UNAVAILABLE" in other.stderr


def test_a_report_of_a_run_of_a_server(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    files = {kind: tmp_path / f"report.{kind}" for kind in ("html", "json", "csv")}
    with local_server("organism/a1") as address:
        invoke = partial(CliRunner().invoke, app, env={"STEER_TARGET": address})
        evaluated = invoke(["evaluate", *ARGUMENTS, "--n", "8", "--json"])
        assert evaluated.exit_code == 0, evaluated.output
        shown = invoke(["report", "mine"])
        written = invoke(["report", "mine", *(f"--{kind}={file}" for kind, file in files.items())])
        nowhere = invoke(["report", "mine", "--csv", str(tmp_path / "no" / "where")])
        unknown = invoke(["report", "nothing"])
    assert "steered" in shown.stdout and "random × 20" in shown.stdout
    assert written.stdout == ""
    assert json.loads(files["json"].read_text()) == json.loads(evaluated.stdout)
    assert "run mine" in files["html"].read_text() and "steered" in files["csv"].read_text()
    assert (nowhere.exit_code, unknown.exit_code) == (2, 2)
    assert "there is no folder" in nowhere.stderr


@pytest.mark.parametrize("width", [50, 80, 100, 200])
def test_the_table_has_as_many_columns_as_there_is_room_for(width, monkeypatch, capsys):
    """Nothing in it is cut, and what an evaluation is about is always there."""
    monkeypatch.setenv("COLUMNS", str(width))
    row = dict.fromkeys((name for column in SHOWN for name in column.names), 0.123)
    rows = [row | {"arm": "bias-ANSWER-10", "role": "bias", "items": 500}]
    rows.append(row | {"arm": "random-1", "role": "random", "items": 500})
    warnings = {"warnings": []}
    print_evaluation({"table": rows, "verdicts": [], "summary": warnings, **warnings})
    head, *lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= width and "…" not in line.replace(" … ", "") for line in lines)
    assert "bias-ANSWER-10" in lines[0] and "random × 1" in lines[1]
    assert {"arm", "right", "Δ"} <= set(head.split())
    assert ("cos" in head.split()) is (width == 200)


@pytest.mark.slow
def test_a_killed_evaluation_goes_on_where_it_was(home):
    whole = run(home, *ARGUMENTS[:-1], "whole", "--n", "120", "--json")
    begun = subprocess.Popen(
        command(*ARGUMENTS, "--n", "120"),
        env=home,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while units_done(home, "mine") < 3 and begun.poll() is None:
        time.sleep(0.02)
    # The server, too.
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    assert 3 <= units_done(home, "mine") < units_done(home, "whole")
    resumed = run(home, *ARGUMENTS, "--n", "120", "--json")
    assert json.loads(resumed.stdout) == json.loads(whole.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say --task"),
        (["--task", "nonsense"], "has no organism"),
        (["--task", "a1", "--strengths", "much"], "numbers with commas"),
        (["--task", "a1", "--report-html", "x", "--report-csv", "./x"], "a file of its own"),
        (["--run", "old", "--n", "5"], "leave out --n"),
        (["--task", "a1", "--pattern", "x", "--target", "unix:/nowhere"], "FILE.jsonl"),
    ],
)
def test_bad_arguments(arguments, said):
    done = CliRunner().invoke(app, ["evaluate", *arguments])
    assert done.exit_code == 2
    assert said in done.stderr


def test_defaults_are_those_of_the_spec():
    from inspect import signature

    from steer.specs import EvaluateSpec

    given = signature(evaluate).parameters
    assert given["n"].default is None  # Not the number: the server takes what there is.
    for name in ("split", "samples", "seed", "random_seeds"):
        assert given[name].default == getattr(EvaluateSpec("", ()), name)
