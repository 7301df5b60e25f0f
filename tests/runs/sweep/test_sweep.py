"""Sweeps of organism A1: the map, the choice, and that it is reported where it was not made."""

import json
from dataclasses import replace
from typing import Any

import pytest

from steer.elicit.activations import residuals
from steer.errors import FailedPrecondition, InvalidRequest, NotFound, SteerError
from steer.intervene.captures import Captures
from steer.intervene.planner import Planner
from steer.measure.cka import linear_cka
from steer.models.load import load
from steer.runs.background import Background
from steer.runs.kind import Unit
from steer.runs.sweep.cells import Cell
from steer.runs.sweep.kind import Sweep
from steer.runs.sweep.map import best_of
from steer.runs.sweep.stages import CHOOSING, REPORTING
from steer.specs import InlineTask, SweepSpec
from steer.store import Store
from steer.tasks.catalog import load_task
from steer.tasks.jsonl import parse_jsonl
from steer.tasks.task import REPORT, SELECT
from steer.types import Add, Arm, Intervention, Point, Project, Site, Stored
from tests.runs.evaluate.conftest import a1 as a1

ADD = Arm("add", (Intervention(Add(Stored("a1-rloo"))),))
SPEC = SweepSpec(
    "a1", (ADD,), layers=(0, 2), strengths=(0.25, 1.0), select_n=16, report_n=16, seed=3
)
KIND = Sweep()


@pytest.fixture(scope="module")
def swept(a1: Background) -> dict[str, Any]:
    """The results of the sweep, by unit."""
    KIND.check(SPEC, a1)
    units = KIND.units(SPEC, a1)
    found = {unit.key: result for unit, result in KIND.execute(SPEC, units, a1)}
    assert sorted(found) == sorted(unit.key for unit in units)
    return {unit.key: found[unit.key] for unit in units}


@pytest.fixture(scope="module")
def report(swept: dict[str, Any]) -> dict[str, Any]:
    return KIND.report(SPEC, swept)


def test_the_map_has_every_cell(report: dict[str, Any]):
    names = [row["name"] for row in report["table"]]
    cells = [f"add@resid_post.{layer}×{c}" for layer in (0, 2) for c in ("0.25", "1")]
    assert names == ["baseline", *cells]
    by_name = {row["name"]: row for row in report["table"]}
    best = by_name["add@resid_post.2×1"]
    assert best["accuracy"] > 0.9 and best["difference"] > 0.5 and best["p_holm"] < 0.05
    assert best["p_holm"] > best["p"]
    assert by_name["add@resid_post.0×1"]["accuracy"] < 0.4
    assert all(row["items"] == 16 for row in report["table"])


def test_the_layer_map_tells_what_reasoning_and_knowledge_become(report: dict[str, Any]):
    low, high = report["layers"]
    assert (low["layer"], high["layer"]) == (0, 2)
    assert high["reasoning"] > 0.5 > low["reasoning"]
    assert high["strength"] == 1.0
    assert -1 <= low["knowledge"] <= 0


def test_the_best_cell_is_reported_on_problems_it_was_not_chosen_on(
    report: dict[str, Any], swept: dict[str, Any]
):
    assert report["best"]["name"] == "add@resid_post.2×1"
    evaluation = report["evaluation"]
    assert (evaluation["split"], evaluation["n"], evaluation["subject"]) == (
        "report",
        16,
        "add@resid_post.2×1",
    )
    assert evaluation["verdicts"] and len(evaluation["arms"]) > 20
    chose, told = (_items(stage.results(swept)) for stage in (CHOOSING, REPORTING))
    assert len(chose) == len(told) == 16 and not chose & told


def test_modes_are_compared_at_every_site(report: dict[str, Any], a1: Background):
    rows = {(row["point"], row["layer"]): row for row in report["modes"]}
    layers = a1.model.layers
    assert set(rows) == {(p, n) for p in ("resid_post", "attn_out") for n in range(layers)}
    task = load_task("a1")
    items = task.items("select", 16, 3)
    model = load("organism/a1")
    site = Site(1)
    x, y = (
        residuals(model.network, [model.text.encode(one, "p") for one in prompts], [site])[site]
        for prompts in ([i.prompt for i in items], [task.cued(i) for i in items])
    )
    assert rows["resid_post", 1]["value"] == pytest.approx(linear_cka(x, y), abs=1e-5)
    assert rows["resid_post", 1]["n"] == 16
    assert 0 < rows["resid_post", 0]["floor"] < rows["resid_post", 0]["value"] <= 1


def test_it_goes_on_where_it_was_and_chooses_from_what_it_has(
    a1: Background, swept: dict[str, Any]
):
    done = {key: swept[key] for key in swept if key.startswith("select-")}
    pending = [unit for unit in KIND.units(SPEC, a1) if unit.key not in done][:4]
    assert any(unit.key == "report-cast" for unit in pending)
    resumed = replace(a1, results=done.get)
    found = {unit.key: result for unit, result in KIND.execute(SPEC, pending, resumed)}
    for key in ("grid", "modes", "report-cast"):
        assert found[key] == swept[key]


def test_reports_of_what_there_is(swept: dict[str, Any]):
    assert KIND.report(SPEC, {})["modes"] == []
    some = {key: swept[key] for key in list(swept)[:1]}
    assert KIND.report(SPEC, some)["table"] == []
    some = {key: swept[key] for key in swept if not key.startswith("report-")}
    partial = KIND.report(SPEC, some)
    assert partial["table"] and "best" not in partial


def test_of_equals_the_one_that_retains_more_then_the_weaker():
    cells = [Cell("a", Site(0), s) for s in (2.0, 1.0)] + [Cell("b", Site(0), 1.0)]
    rows = [
        {"arm": cell.name, "correct": True, "retention": kept}
        for cell in cells
        for kept in (False, True)
    ]
    assert best_of(cells[:2], {"x": {"records": rows}}) == cells[1]
    rows.append({"arm": cells[1].name, "correct": False, "retention": True})
    assert best_of(cells[:2], {"x": {"records": rows}}) == cells[0]


def test_several_ops_at_the_sites_their_vectors_hold(a1: Background):
    ablate = Arm("ablate", (Intervention(Project(Stored("a1-dom"))),))
    spec = replace(SPEC, arms=(ADD, ablate), layers=(), strengths=(1.0,))
    told = next(r for u, r in KIND.execute(spec, [Unit("grid")], a1))
    assert [cell["name"] for cell in told["cells"]] == [
        "add@resid_post.2×1",
        "ablate@resid_post.2×1",
    ]


def case(error: type[SteerError], field: str, message: str, **fields: Any) -> Any:
    return pytest.param(error, field, message, fields, id=f"{field}-{message[:12]}")


@pytest.mark.parametrize(
    ("error", "field", "message", "fields"),
    [
        case(NotFound, "task_name", "nope", task="nope"),
        case(InvalidRequest, "layers", "9", layers=(0, 9)),
        case(InvalidRequest, "layers", "no such point", layers=(), points=(Point.MLP_OUT,)),
        case(NotFound, "arms[0]", "nope", arms=(Arm("x", (Intervention(Add(Stored("nope"))),)),)),
        case(InvalidRequest, "layers", "4002 cells", strengths=tuple(range(1, 2002))),
    ],
)
def test_bad_sweeps(
    a1: Background, error: type[SteerError], field: str, message: str, fields: dict[str, Any]
):
    with pytest.raises(error) as caught:
        KIND.check(replace(SPEC, **fields), a1)
    told = {one.field: one.message for one in caught.value.violations}
    places = [place for place in told if place.startswith(f"spec.sweep.{field}")]
    assert places, told
    assert message in told[places[0]]


def test_a_problem_to_choose_on_that_fills_the_context_is_found_before_the_run(a1: Background):
    words = " ".join(["quiz"] * a1.model.context_length)
    lines = [{"id": str(i), "prompt": f"quiz {i} =", "answer": "1"} for i in range(40)]
    lines += [{"id": f"long-{i}", "prompt": f"{words} {i}", "answer": "1"} for i in range(40)]
    pool = parse_jsonl("\n".join(map(json.dumps, lines)), "mine").pool
    short = {item.id for item in pool.splits[REPORT] if item.id.isdigit()}
    choosing = {item.id for item in pool.splits[SELECT]}
    text = "\n".join(json.dumps(line) for line in lines if line["id"] in short | choosing)
    spec = replace(SPEC, task=InlineTask("mine", text), select_n=len(choosing), report_n=8)
    with pytest.raises(InvalidRequest) as caught:
        KIND.check(spec, a1)
    assert [(v.field, v.reason) for v in caught.value.violations] == [
        ("spec.sweep.select_n", "TOO_LONG")
    ]


def test_a_vector_chosen_on_the_report_split_is_refused(a1: Background, tmp_path):
    store = Store(tmp_path)
    item = a1.store.get("a1-rloo")
    card = replace(item.card, parameters={"used_splits": {"a1": ["report"]}})
    store.put(replace(item, name="seen", card=card))
    planner = replace_store(a1, store)
    arm = Arm("x", (Intervention(Add(Stored("seen"))),))
    with pytest.raises(FailedPrecondition) as caught:
        KIND.check(replace(SPEC, arms=(arm,)), planner)
    assert caught.value.violations[0].field == "spec.sweep.arms"


def replace_store(context: Background, store: Any) -> Background:
    old = context.planner
    planner = Planner(old.model, store, old.text, context.engine, old.recipes, Captures())
    return Background(context.engine, planner)


def _items(results: dict[str, Any]) -> set[str]:
    rows = (row for one in results.values() for row in one.get("records", ()))
    return {row["item"] for row in rows if not row["retention"]}
