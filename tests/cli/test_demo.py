"""The demo end to end is a slow test; here its numbers and its words."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from steer.cli.experiment import Outcome, treatments
from steer.cli.main import app
from steer.cli.report import as_json, print_report
from steer.tasks import a1

NAMES = ["a1-dom", "a1-rloo", *(f"random-{i}" for i in range(1, 6)), "forced-first-token"]


def test_arms():
    assert list(treatments()) == NAMES


def test_counts():
    outcome = Outcome()
    problem, fact = a1.problems("report", 1)[0], a1.facts()[0]
    outcome.count(problem, f"{a1.THINK} {' '.join(problem.trace)} {a1.ANSWER} {problem.answer}")
    outcome.count(problem, f"{a1.ANSWER} {problem.answer}")
    outcome.count(problem, "")
    outcome.count(fact, f"{a1.ANSWER} {fact.answer}")
    assert outcome == Outcome(problems=3, correct=2, valid_traces=1, facts=1, facts_right=1)


def test_report(capsys):
    outcomes = {name: Outcome(10, 5, 2, 32, 16) for name in ("baseline", *NAMES)}
    print_report(outcomes)
    shown = capsys.readouterr().out
    assert "50.0" in shown
    assert "no evidence about large" in " ".join(shown.split())
    plain = as_json(outcomes)
    assert plain["n"] == 10
    assert list(plain["arms"]) == ["baseline", *NAMES]
    assert plain["arms"]["a1-rloo"] == pytest.approx(
        {"accuracy": 0.5, "low": 0.2366, "high": 0.7634, "valid_traces": 0.2, "facts": 0.5},
        abs=1e-4,
    )


def test_demo_against_a_given_server(fake, tmp_path):
    path = tmp_path / "demo.json"
    done = CliRunner().invoke(
        app, ["demo", "--problems", "4", "--target", fake.target, "--json", str(path)]
    )
    assert done.exit_code == 0, done.output
    plain = json.loads(path.read_text(encoding="utf-8"))
    assert plain["n"] == 4
    assert list(plain["arms"]) == ["baseline", *NAMES]
    forced = fake.trials[0].arms[-1]
    assert forced.forced_prefix.text == "THINK"
    bulk = fake.trials[:36]
    assert not any(trial.measure for trial in bulk)
    assert all(trial.measure for trial in fake.trials[36:])


def test_demo_with_a_server_of_its_own(tmp_path):
    pytest.importorskip("torch")
    path = tmp_path / "demo.json"
    command = [sys.executable, "-m", "steer", "demo", "--problems", "12", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    arms = json.loads(path.read_text(encoding="utf-8"))["arms"]
    # What organism/a1 was made for; the full numbers are those of `steer demo`.
    assert arms["a1-rloo"]["accuracy"] > 0.9
    assert all(arms[name]["accuracy"] < 0.5 for name in ("baseline", "random-1", "random-2"))
    assert arms["baseline"]["facts"] == 1.0


def test_a_server_that_does_not_start_is_unavailable(monkeypatch):
    from steer.cli import local_server
    from steer.errors import Unavailable

    monkeypatch.setattr(local_server.sys, "executable", "/bin/false")
    with pytest.raises(Unavailable, match="did not start"), local_server.local_server("m"):
        pass
