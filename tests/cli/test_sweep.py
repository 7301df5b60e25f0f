"""`steer sweep` end to end, with a server of its own."""

import csv
import json

import pytest
from typer.testing import CliRunner

from steer.cli.main import app

pytest.importorskip("torch")


def test_a_sweep_ends_in_the_evaluation_of_its_best(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    files = {kind: tmp_path / f"report.{kind}" for kind in ("html", "json", "csv")}
    asked = ["sweep", "--task", "a1", "--vector", "a1-rloo", "--layers", "0,2", "--strengths",
             "0.25,1", "--n", "16", "--report-n", "16", "--run", "mine"]  # fmt: skip
    done = CliRunner().invoke(app, [*asked, *(f"--report-{k}={p}" for k, p in files.items())])
    assert done.exit_code == 0, done.output
    assert "best: steered@resid_post.2×1" in done.stdout
    assert "noise floor" in done.stdout and "mode switch" in done.stdout
    with files["csv"].open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"baseline"} | {
        f"steered@resid_post.{layer}×{c}" for layer in (0, 2) for c in ("0.25", "1")
    }
    assert float(rows["steered@resid_post.2×1"]["accuracy"]) > 0.9
    assert json.loads(files["json"].read_text())["best"]["layer"] == 2
    page = files["html"].read_text()
    assert "run mine" in page and "linear CKA" in page and "Information gain" in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say --task"),
        (["--task", "a1", "--layers", "2-x"], "--layers is like 0-5,8"),
        (["--task", "a1", "--strengths", "much"], "--strengths is numbers with commas"),
    ],
)
def test_bad_arguments(arguments, said, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    done = CliRunner().invoke(app, ["sweep", *arguments])
    assert done.exit_code == 2
    assert said in done.stderr
