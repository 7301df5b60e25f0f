"""`steer train` end to end, and the curves it draws."""

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

from steer.cli.curves import spark
from steer.cli.local_server import local_server
from steer.cli.main import app

pytest.importorskip("torch")


def test_a_vector_is_trained_and_stored(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = tmp_path / "shown.jsonl"
    line = {"prompt": "quiz 3 : d a h c c f =", "target": "THINK 1 2 3"}
    shown.write_text(json.dumps(line))
    asked = ["--objective", "cross_entropy", "--demonstrations", str(shown), "--layers", "1-2",
             "--steps", "4", "--select-every", "2", "--retain", "0.1", "--task", "a1",
             "--select-n", "8", "--phase", "all", "--run", "mine"]  # fmt: skip
    with local_server("organism/a1") as address:
        invoke = partial(CliRunner().invoke, app, env={"STEER_TARGET": address})
        trained = invoke(["train", "made", *asked])
        assert trained.exit_code == 0, trained.output
        again = invoke(["train", "--run", "mine", "--json"])
        reported = invoke(["report", "mine"])
        files = ["--csv", str(tmp_path / "steps.csv"), "--html", str(tmp_path / "steps.html")]
        written = invoke(["report", "mine", *files])
        compared = invoke(["compare", "quiz 3 : d a h c c f =", "--vector", "made", "--json"])
    assert "stored made" in trained.stdout and "relative.resid_post.2" in trained.stdout
    assert "steps were taken" in reported.stdout
    assert written.exit_code == 0
    assert "Loss and distances" in (tmp_path / "steps.html").read_text("utf-8")
    assert len((tmp_path / "steps.csv").read_text().splitlines()) == 6
    report = json.loads(again.stdout)
    assert [record["step"] for record in report["table"]] == [0, 1, 2, 3, 4]
    assert report["card"]["method"]["name"] == "cross_entropy"
    assert report["card"]["defaults"]["where"] == {"phase": "all"}
    assert compared.exit_code == 0 and "steered" in compared.stdout


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_bits(tmp_path):
    home = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "steer", "train", "made", "--task", "a1", "--layers", "2",
               "--steps", "12", "--select-every", "2", "--select-n", "16", "--batch", "4",
               "--group", "4", "--json", "--run"]  # fmt: skip

    def units() -> int:
        file = Path(tmp_path, "steer/store/.runs/runs.sqlite")
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                query = "select done from steer_runs where id = 'mine'"
                found = database.execute(query).fetchone()
        except sqlite3.OperationalError:  # not there yet, or without its tables
            return 0
        return found[0] if found else 0

    begun = subprocess.Popen(
        [*command, "mine"],
        env=home,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while units() < 3 and begun.poll() is None:
            time.sleep(0.02)
    finally:
        os.killpg(begun.pid, signal.SIGKILL)  # the server, too
        begun.wait()
    assert 3 <= units() < 8
    resumed, whole = (
        json.loads(subprocess.check_output([*command, run], env=home, stderr=subprocess.DEVNULL))
        for run in ("mine", "whole")
    )
    assert resumed == whole


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say NAME"),
        (["--run", "old", "--layers", "2", "--cosine"], "leave out --layers, --cosine"),
        (["made", "--task", "a1"], "say --layers"),
        (["made", "--task", "a1", "--layers", "x"], "--layers is like"),
        (["made", "--layers", "1", "--demonstrations", "none.jsonl"], "none.jsonl"),
    ],
)
def test_what_is_wrong_is_told_before_a_server_starts(arguments, said):
    done = CliRunner().invoke(app, ["train", *arguments])
    assert done.exit_code == 2 and said in done.stderr


def test_curves_go_from_their_least_to_their_largest():
    assert spark([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert spark([1.0, 1.0]) == "▁▁"
    assert spark(list(range(1000)), 4) == "▁▃▆█"
