"""``steer extract`` end to end, on a server."""

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import steer
from steer.cli.local_server import local_server
from steer.cli.main import app
from steer.tasks.catalog import load_task

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def address():
    with local_server("organism/a1") as target:
        yield target


@pytest.fixture
def invoke(address, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    return partial(CliRunner().invoke, app, env={"STEER_TARGET": address})


def test_a_task_s_cue_becomes_a_vector_that_steers(invoke, address):
    done = invoke(["extract", "cue", "--task", "a1", "--n", "40", "--layers", "2",
                   "--phase", "decode"])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "stored as cue@sha256:" in done.stdout and "resid_post.2" in done.stdout
    with steer.Client(address) as client:
        card = client.vectors.get("cue").card
        assert card["method"]["name"] == "difference_of_means"
        assert card["defaults"]["where"]["phase"] == "decode"
        task, right = load_task("a1"), {"baseline": 0, "steered": 0}
        for item in task.items("report", 6):
            steered = steer.add("cue", strength=0.5)
            found = client.compare(item.prompt.text, steered, max_tokens=task.max_tokens)
            for name in right:
                right[name] += task.grade(item, found[name].text).correct
    assert right["steered"] >= 5 > right["baseline"]


def test_files_and_cues(invoke, tmp_path: Path):
    lines = tmp_path / "prompts.txt"
    lines.write_text("\n".join(f"3 o{i} o{j} ?" for i in range(4) for j in range(4)))
    cues = ["--prompts", str(lines), "--cue", "work {}", "--cue-against", "quiz {}"]
    done = invoke(["extract", "cued", *cues, "--method", "pca", "--run", "mine", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["card"]["method"]["parameters"]["paired"] is True
    assert report["texts"] == 32
    shown = invoke(["report", "mine"])
    assert "pca, 32 texts: stored as cued@sha256:" in shown.stdout
    invoke(["report", "mine", "--csv", str(tmp_path / "sites.csv")])
    assert len((tmp_path / "sites.csv").read_text().splitlines()) == 1 + 3
    again = invoke(["extract", "--run", "mine", "--json"])
    assert json.loads(again.stdout) == report

    classes = {name: tmp_path / f"{name}.jsonl" for name in ("positive", "negative")}
    for name, file in classes.items():
        head = {"positive": "work", "negative": "quiz"}[name]
        file.write_text("\n".join(json.dumps({"prompt": f"{head} {i} o1 ?"}) for i in range(8)))
    options = [f"--{name}={file}" for name, file in classes.items()]
    done = invoke(["extract", "two", *options, "--paired", "--json"])
    assert json.loads(done.stdout)["texts"] == 16


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say NAME"),
        (["x"], "spec.extract.positive"),
        (["x", "--prompts", "p"], "--prompts goes with --cue"),
        (["x", "--cue", "p {}"], "--cue and --cue-against go with --prompts"),
        (["x", "--cue-against", "p {}"], "--cue and --cue-against go with --prompts"),
        (["x", "--prompts", "p", "--cue", "{}", "--positive", "p"], "makes both classes"),
        (["x", "--task", "a1", "--chat"], "--chat is for texts"),
        (["x", "--task", "a1", "--layers", "2-0"], "--layers is like 0-5,8, not '2-0'"),
        (["x", "--task", "a1", "--offset", "-5"], "counts from an event"),
        (["x", "--task", "a1", "--phase", "late"], "--phase"),
        (["x", "--positive", "/nowhere"], "/nowhere"),
        (["x", "--task", "a1", "--point", "mlp_out"], "--point goes with --layers"),
        (["x", "--task", "a1", "--layers", "9"], "layer 9 is outside the model"),
        (["x", "--task", "a1", "--layers", "1,1"], "names a site twice"),
        (["X", "--task", "a1"], "not a vector name"),
    ],
)
def test_bad_input_is_two(invoke, arguments, says):
    done = invoke(["extract", *arguments])
    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.parametrize(
    ("line", "cue", "says"),
    [
        ('{"prompt": "3 o1 ?", "answer": "4"}', "work {}", "a cue goes around texts"),
        ('{"messages": [{"role": "user", "content": "3"}]}', "work {}", "a cue goes around texts"),
        ('{"prompt": "3 o1 ?"}', "work", "has no {}"),
    ],
)
def test_prompts_that_no_cue_goes_around_are_refused(invoke, tmp_path, line, cue, says):
    file = tmp_path / "prompts.jsonl"
    file.write_text(line)
    done = invoke(["extract", "x", "--prompts", str(file), "--cue", cue, "--chat"])
    assert done.exit_code == 2
    assert says in done.output
