"""Training as a run: it learns, goes on from its checkpoints to the bit, says why it stops."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from steer.engine.embedded.engine import EmbeddedEngine
from steer.errors import FailedPrecondition, InvalidRequest, SteerError
from steer.intervene.planner import Planner
from steer.runs.background import Background
from steer.runs.kind import Json
from steer.runs.train.kind import Train
from steer.specs import Demonstration, InlineTask, Objective, TrainSpec
from steer.store import Store
from steer.tasks.pool import Pooled
from steer.types import Phase, Point, Prompt, Site
from tests.helpers import loaded
from tests.runs.conftest import LIMITS

KIND = Train()
TASK = InlineTask(
    "nine",
    "\n".join(
        json.dumps({"id": f"{i}", "prompt": f"t{i} t{i + 1}", "answer": "t9"})
        for i in range(10, 90)
    ),
)
"""Whatever is asked, the answer is t9."""
SPEC = TrainSpec(
    into="made",
    objective=Objective.RLOO,
    task=TASK,
    train_n=20,
    sites=(Site(1), Site(2, Point.MLP_OUT)),
    steps=8,
    batch=4,
    group=4,
    rate=1.0,
    max_tokens=1,
    select_n=8,
    select_every=2,
    temperature=2.0,
)
SHOWN = replace(
    SPEC,
    objective=Objective.CROSS_ENTROPY,
    task=None,
    demonstrations=tuple(
        Demonstration(Prompt(text=f"t{i} t{i + 1}"), "t9 t8") for i in range(10, 20)
    ),
    temperature=1.0,
    rate=0.3,
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def done(
    spec: TrainSpec, context: Background, before: Mapping[str, Json] | None = None, most: int = 99
) -> dict[str, Json]:
    """Results after at most so many more units, as a database gives them back."""
    results = dict(before or {})
    resumed = replace(context, results=results.get)
    KIND.check(spec, resumed)
    pending = [unit for unit in KIND.units(spec, resumed) if unit.key not in results]
    for unit, result in KIND.execute(spec, pending, resumed):
        results[unit.key] = json.loads(json.dumps(result, allow_nan=False))
        most -= 1
        if not most:
            break
    return results


def steps(results: Mapping[str, Json]) -> list[dict[str, Any]]:
    return [record for one in results.values() for record in one["records"]]


def made(context: Background) -> dict[Site, Any]:
    return dict(context.store.get("made").tensors)


@pytest.mark.parametrize("objective", [Objective.RLOO, Objective.GRPO_NO_STD])
def test_what_is_rewarded_is_learnt(context: Background, objective: Objective) -> None:
    spec = replace(SPEC, objective=objective, steps=20, enough=1.0)
    results = done(spec, context)
    curve = steps(results)
    assert curve[0] == {"step": 0, "selected": 0.0}
    report = KIND.report(spec, results)
    assert (report["ended"], report["kept_step"]) == ("ENOUGH", curve[-1]["step"])
    assert curve[-1]["selected"] == 1.0 and curve[-1]["reward"] > curve[1]["reward"]
    assert curve[-1]["kl"] > 0 and "kl" not in curve[1]
    card = context.store.get(report["address"]).card
    assert card.method == objective and card.where.phase is Phase.DECODE
    assert set(card.residual_norms) == {Site(0), Site(1), Site(2), Site(2, Point.MLP_OUT)}
    assert card.parameters["used_splits"] == {"nine": ["select"]}
    assert card.measured["selected"] == 100 and card.measured["unsteered_selected"] == 0
    norm = curve[-1]["norm.resid_post.1"]
    assert norm == pytest.approx(card.norms[Site(1)], rel=1e-4)
    assert curve[-1]["relative.resid_post.1"] == pytest.approx(norm / card.residual_norms[Site(1)])


def test_demonstrations_are_imitated(context: Background) -> None:
    results = done(replace(SHOWN, steps=20, norm=1e-4, kl=0.001, cosine=True), context)
    curve = steps(results)
    assert curve[0] == {"step": 0}
    assert curve[-1]["loss"] < 0.7 * curve[1]["loss"]
    assert all("kl" in record for record in curve[1:])
    report = KIND.report(SHOWN, results)
    assert (report["ended"], report["kept_step"]) == ("ALL_STEPS", 20)
    card = context.store.get("made").card
    assert card.parameters["targets"] == "demonstrations" and "used_splits" not in card.parameters


@pytest.mark.parametrize("spec", [SPEC, SHOWN], ids=["rewards", "demonstrations"])
@pytest.mark.parametrize("units", [1, 4])
def test_a_run_that_was_killed_ends_with_the_same_bits(
    context: Background, spec: TrainSpec, units: int
) -> None:
    whole = done(spec, context)
    wanted = made(context)
    resumed = done(spec, context, done(spec, context, most=units))
    assert resumed == whole
    assert all(np.array_equal(vector, wanted[at]) for at, vector in made(context).items())


def test_seeds_differ(context: Background) -> None:
    first, other = (steps(done(replace(SPEC, steps=2, seed=seed), context)) for seed in (0, 1))
    assert first != other


def test_rewards_without_variance_are_told(context: Background) -> None:
    lines = TASK.jsonl.replace('"t9"', '"t9 t9 t9 t9"')
    spec = replace(SPEC, task=replace(TASK, jsonl=lines), patience=3)
    with pytest.raises(FailedPrecondition, match="in 3 steps") as caught:
        done(spec, context)
    assert caught.value.reason == "NO_REWARD_VARIANCE"


def test_so_are_they_in_fewer_steps_than_patience(context: Background) -> None:
    lines = TASK.jsonl.replace('"t9"', '"t9 t9 t9 t9"')
    with pytest.raises(FailedPrecondition) as caught:
        done(replace(SPEC, task=replace(TASK, jsonl=lines), patience=10, steps=2), context)
    assert caught.value.reason == "NO_REWARD_VARIANCE"


def test_a_number_that_is_not_finite_ends_it_with_what_was_good(context: Background) -> None:
    spec = replace(SHOWN, kl=float("nan"))
    with pytest.raises(FailedPrecondition) as caught:
        done(spec, context)
    assert caught.value.reason == "LOSS_NOT_FINITE"
    good = done(SHOWN, context, most=3)
    results = done(SHOWN, context, done(spec, context, good, most=2))
    report = KIND.report(SHOWN, results)
    assert (report["ended"], report["kept_step"]) == ("LOSS_NOT_FINITE", 4)
    kept = good["steps-4"]["checkpoint"]["state"]["vectors"]
    assert results["steps-8"]["checkpoint"]["state"]["vectors"] == kept
    assert made(context)


def test_positions_that_nothing_is_predicted_from_are_told(context: Background) -> None:
    with pytest.raises(FailedPrecondition, match="does not depend on the vectors"):
        done(replace(SPEC, phase=Phase.GENERATED), context)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_weights_that_carry_no_gradients_are_told(store: Store, planner: Planner) -> None:
    model = loaded()
    net = torch.ao.quantization.quantize_dynamic(model.network, {torch.nn.Linear})
    served = EmbeddedEngine(replace(model, network=net), LIMITS)
    try:
        context = Background(served, replace(planner, reader=served))
        with pytest.raises(FailedPrecondition, match="`extract`") as caught:
            done(SPEC, context)
        assert caught.value.reason == "NO_GRADIENTS"
    finally:
        served.close()


LONG = InlineTask(
    "long",
    "\n".join(
        json.dumps({"id": f"{i}", "prompt": f"t{i} " * 300, "answer": "t9"}) for i in range(40)
    ),
)
BAD: dict[str, tuple[TrainSpec, list[str]]] = {
    "name": (replace(SPEC, into="Not a name"), ["into"]),
    "sites": (replace(SPEC, sites=(Site(9), Site(1), Site(1))), ["sites[0].layer", "sites"]),
    "task": (replace(SPEC, task="none"), ["task_name"]),
    "no task": (replace(SPEC, task=None), ["task_name"]),
    "nothing": (replace(SHOWN, demonstrations=()), ["task_name"]),
    "rows": (replace(SPEC, group=9), ["group"]),
    "too few": (replace(SPEC, train_n=1000), ["train_n"]),
    "too few to choose": (replace(SPEC, select_n=1000), ["select_n"]),
    "rewards and traces": (replace(SPEC, swapped=True, teacher=1.0), ["swapped", "teacher"]),
    "no traces": (replace(SPEC, objective=Objective.CROSS_ENTROPY, swapped=True), ["swapped"]),
    "no cue": (replace(SPEC, objective=Objective.CROSS_ENTROPY, teacher=1.0), ["teacher"]),
    "nothing to retain": (replace(SPEC, retain=1.0), ["retain"]),
    "retain without task": (replace(SHOWN, retain=1.0, enough=0.5), ["enough", "retain"]),
    "never enough": (replace(SPEC, select_n=0, enough=0.5), ["enough"]),
    "long": (
        replace(SHOWN, demonstrations=(Demonstration(Prompt(text="t3"), "t4 " * 300),)),
        ["demonstrations[0].target"],
    ),
    "long to choose on": (
        replace(SHOWN, task=LONG, objective=Objective.CROSS_ENTROPY, select_n=8),
        ["select_n"],
    ),
    "empty": (
        replace(SHOWN, demonstrations=(Demonstration(Prompt(text="t3"), " "),)),
        ["demonstrations[0].target"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_can_not_be_done_is_told_by_field(context: Background, case: str) -> None:
    spec, fields = BAD[case]
    with pytest.raises(SteerError) as caught:
        KIND.check(spec, context)
    assert {v.field for v in caught.value.violations} == {f"spec.train.{f}" for f in fields}


def test_a_cue_that_makes_a_prompt_too_long_is_told(
    context: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pooled, "cued", lambda self, item: Prompt(text="t3 " * 300))
    with pytest.raises(InvalidRequest) as caught:
        KIND.check(replace(SPEC, objective=Objective.CROSS_ENTROPY, teacher=1.0), context)
    assert {v.field for v in caught.value.violations} == {"spec.train.inline_task"}
    assert "under the task's cue" in caught.value.message


def test_a_bad_inline_task_is_told(context: Background) -> None:
    with pytest.raises(InvalidRequest) as caught:
        KIND.check(replace(SPEC, task=replace(TASK, jsonl="{}")), context)
    assert all(v.field.startswith("spec.train.inline_task.") for v in caught.value.violations)
