"""The command line, from arguments to exit codes, against a server of the protocol."""

import dataclasses
import inspect
import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

import steer
from steer import wire
from steer.cli import options
from steer.cli.main import app
from steer.cli.output import print_table
from steer.server.settings import Settings
from steer.types import Expression, RandomLike, Site, Stored, StoredRecipe, Strength, Unit, Where


@pytest.fixture
def run(fake):
    def invoke(*arguments, target=fake.target):
        return CliRunner().invoke(app, list(arguments), env={"STEER_TARGET": target})

    return invoke


def test_compare(fake, run):
    done = run("compare", "hi", "--vector", "x:2", "--vector", "y", "--layer", "1",
               "--phase", "decode", "--max-tokens", "5", "--seed", "3")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "THINK <b> 9" in done.stdout
    trial = fake.trials[0]
    (arm,) = trial.arms
    first, second = arm.interventions
    assert (arm.name, first.op.operand, second.op.operand) == ("steered", Stored("x"), Stored("y"))
    assert (first.strength, second.strength) == (Strength(2), None)
    assert first.sites == (Site(1),)
    assert first.where == Where(steer.Phase.DECODE)
    assert (trial.sampling.max_tokens, trial.sampling.seed) == (5, 3)


def test_an_expression_in_place_of_a_name(fake, run):
    done = run("compare", "hi", "--vector", "x - 0.5*y@2:3", "--arm", "a=mean(x, y)")
    assert done.exit_code == 0, done.output
    steered, a = (arm.interventions[0] for arm in fake.trials[0].arms)
    assert (steered.op.operand, steered.strength) == (Expression("x - 0.5*y@2"), Strength(3))
    assert a.op.operand == Expression("mean(x, y)")


def test_compare_with_arms_and_controls(fake, run):
    done = run("compare", "hi", "--arm", "a=x:0.5", "--arm", "b=y:1", "--relative",
               "--random-control", "2", "--chat", "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    plain = json.loads(done.stdout)
    assert list(plain["arms"]) == ["baseline", "a", "b", "random-1", "random-2"]
    trial = fake.trials[0]
    assert trial.prompt.messages[0].role == "user"
    assert trial.arms[0].interventions[0].strength == Strength(0.5, Unit.RELATIVE)
    assert trial.arms[3].interventions[0].op.operand == RandomLike(Stored("x"), 2)
    assert trial.arms[3].interventions[0].strength == Strength(0.5, Unit.RELATIVE)


def test_score(run):
    done = run("score", "hi", "yo", "--vector", "x")
    assert done.exit_code == 0, done.output
    assert "-1.500" in done.stdout
    plain = json.loads(run("score", "hi", "yo", "--json").stdout)
    assert plain["arms"]["baseline"]["total"] == -1.5


def test_model_and_vectors(run):
    assert "organism/fake" in run("model").stdout
    assert json.loads(run("model", "--json").stdout)["points"] == ["resid_post"]
    assert "v5" in run("vectors", "list").stdout
    assert [one["name"] for one in json.loads(run("vectors", "list", "--json").stdout)][:2] == [
        "v0",
        "v1",
    ]
    assert "lr" in run("vectors", "show", "q").stdout
    assert json.loads(run("vectors", "show", "q", "--json").stdout)["card"]["hyper"]["lr"] == 0.5


def test_recipes(fake, run, tmp_path):
    recipe = steer.add("x", strength=2, layer=1).where("decode") + steer.random_like("y", seed=3)
    file = tmp_path / "calm.json"
    steer.Recipe(recipe.interventions, description="soothes").save(file)
    assert "sha256:0" in run("recipes", "put", "calm", str(file)).stdout
    run("recipes", "put", "b", str(file), "--description", "other")
    assert [one.description for one in fake.recipes.values()] == ["soothes", "other"]
    shown = run("recipes", "show", "calm").stdout
    assert "add x × 2 raw at resid_post.1 in decode" in shown
    assert "add RandomLike(y, 3)" in shown
    plain = json.loads(run("recipes", "show", "calm", "--json").stdout)
    assert plain["content_hash"] == "sha256:0"
    (tmp_path / "again.json").write_text(json.dumps(plain))
    assert run("recipes", "put", "c", str(tmp_path / "again.json"), "--json").exit_code == 0
    assert "soothes" in run("recipes", "list").stdout
    listed = json.loads(run("recipes", "list", "--json").stdout)
    assert [one["name"] for one in listed] == ["b", "c", "calm"]
    assert run("recipes", "rm", "b").exit_code == 0
    assert run("recipes", "rm", "b").exit_code == 2
    assert run("recipes", "put", "d", str(tmp_path / "missing.json")).exit_code == 2
    file.write_text("{}")
    assert run("recipes", "put", "d", str(file)).exit_code == 2
    assert sorted(fake.recipes) == ["c", "calm"]


def test_every_op_has_words(run, fake):
    recipe = (
        steer.feature("sae", 3, 1.0)
        + steer.low_rank("reft")
        + steer.patch(arm="clean", layer=1)
        + steer.patch(capture="cap-1")
        + steer.orthogonal_to([1.0, 2.0], "y", layer=1).when(steer.probe("p", above=0.5, at=1))
    )
    fake.recipes["r"] = wire.build_recipe(StoredRecipe("r", recipe.interventions))
    shown = " ".join(run("recipes", "show", "r").stdout.split())
    for words in ("feature sae", "low_rank reft", "replace clean", "replace cap-1"):
        assert words in shown
    assert "OrthogonalTo(inline (2 numbers), y) at resid_post.1 when its gate is open" in shown


def test_compare_with_recipes(fake, run, tmp_path):
    steer.ablate("z").save(tmp_path / "z.json")
    stored = wire.build_recipe(StoredRecipe("calm", steer.add("y", strength=2).interventions))
    fake.recipes["calm"] = stored
    done = run("compare", "hi", "--vector", "x", "--recipe", "calm", "--recipe",
               str(tmp_path / "z.json"), "--random-control", "1")  # fmt: skip
    assert done.exit_code == 0, done.output
    steered, random = fake.trials[0].arms
    assert [one.op.operand.name for one in steered.interventions] == ["x", "y", "z"]
    assert random.interventions[1].op.operand == RandomLike(Stored("y"), 1)
    assert run("score", "hi", "yo", "--recipe", "calm").exit_code == 0


def test_health(fake, run):
    assert run("health").exit_code == 0
    fake.serving = False
    assert run("health").exit_code == 1
    assert run("health", "--timeout", "1", target="unix:/nonexistent.sock").exit_code == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (steer.NotFound("no such vector"), 2),
        (steer.FailedPrecondition("another width"), 2),
        (steer.ServerError("a fault"), 1),
        (steer.Unauthenticated("who"), 1),
    ],
)
def test_exit_codes(fake, run, error, code):
    fake.errors = [error]
    done = run("model")
    assert done.exit_code == code
    assert error.message in done.stderr
    assert "request req-1" in done.stderr
    assert not done.stdout


def test_unreachable_is_three(run):
    done = run("vectors", "list", target="unix:/nonexistent.sock")
    assert done.exit_code == 3
    assert "`steer serve` starts one, --target names another" in done.stderr


def test_version(run):
    assert run("--version").stdout.strip() == version("steer")


def test_violations_are_one_per_line(run):
    done = run("compare", "hi", "--max-tokens", "0", "--temperature", "-1")
    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert lines[1].startswith("  trial.sampling.temperature: is -1; give")
    assert lines[2].startswith("  trial.sampling.max_tokens: is 0; give")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--arm", "nameless"),
        ("--random-control", "1"),
        ("--vector", "x:nan"),
        ("--vector", "x", "--phase", "later"),
        ("--vector", "x", "--relative"),
        ("--layer", "1"),
        ("--recipe", "unknown"),
        ("--recipe", "missing.json"),
    ],
)
def test_bad_input_is_two(fake, run, arguments):
    assert run("compare", "hi", *arguments).exit_code == 2
    assert not fake.trials


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("x", ("x", None)),
        ("x:0.5", ("x", 0.5)),
        ("a/b@3:-2", ("a/b@3", -2)),
        ("x@sha256:1234", ("x@sha256:1234", None)),
        ("x@sha256:ab12:2", ("x@sha256:ab12", 2)),
    ],
)
def test_strength_after_a_name(text, parsed):
    assert options._strength(text) == parsed


def test_serve_has_one_option_for_each_setting():
    from steer.cli.serve import serve

    given = inspect.signature(serve).parameters
    fields = dataclasses.fields(Settings)
    assert list(given) == [field.name for field in fields]
    assert [p.default for p in given.values()] == [field.default for field in fields]


def test_serve_passes_settings_on(monkeypatch):
    app_module = pytest.importorskip("steer.server.app")
    seen = []
    monkeypatch.setattr(app_module, "run", seen.append)
    done = CliRunner().invoke(
        app,
        ["serve", "--model", "m", "--no-reflection", "--store", "s3://bucket//vectors"],
        env={"STEER_MAX_ROWS": "7", "STEER_BUNDLED": "0"},
    )
    assert done.exit_code == 0, done.output
    given = {"model": "m", "reflection": False, "max_rows": 7}
    store = {"store": "s3://bucket//vectors", "bundled": False}
    assert seen == [dataclasses.replace(Settings(), **given, **store)]


def test_serve_without_the_server_packages_says_what_to_install():
    code = (
        "import sys; sys.modules.update(torch=None, numpy=None, transformers=None);"
        "sys.argv = ['steer', 'serve']; from steer.cli.main import app; app()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'pip install "steer[server]"' in done.stderr


def test_help_of_every_command():
    for command in ("serve", "compare", "score", "model", "health", "demo", "vectors", "recipes"):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_python_m_steer():
    done = subprocess.run([sys.executable, "-m", "steer", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "Usage: steer" in done.stdout


def test_a_table_in_a_pipe_has_a_line_for_each_row(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(("name", "description"), [("x", "far " * 100), ("y", "")])
    head, first, second = capsys.readouterr().out.splitlines()
    assert (head.split(), first.count("far"), second.strip()) == (["name", "description"], 100, "y")
