"""What an evaluation refuses, field by field, and all of it at once."""

import json
from dataclasses import replace

import numpy as np
import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound, SteerError
from steer.runs.evaluate.kind import Evaluate
from steer.specs import Controls, InlineTask
from steer.store import Card, Probe, ProbeTensors, Store, Vector
from steer.store.used import USED
from steer.tasks.jsonl import parse_jsonl
from steer.types import Add, Arm, Gate, Intervention, Prompt, RandomLike, Sampling, Site, Stored
from tests.runs.evaluate.conftest import SPEC, context_of

STEERED = SPEC.arms[0]


def refused(spec, context):
    with pytest.raises(SteerError) as caught:
        Evaluate().check(spec, context)
    return caught.value


@pytest.mark.parametrize(
    ("change", "kind", "field", "reason"),
    [
        ({"task": "nonsense"}, NotFound, "task_name", "TASK_NOT_FOUND"),
        ({"split": "nonsense"}, InvalidRequest, "split", "NO_SUCH_SPLIT"),
        ({"n": 10**9}, InvalidRequest, "n", "INVALID_REQUEST"),
        ({"subject": "nobody"}, InvalidRequest, "subject", "NO_SUCH_ARM"),
        ({"ceiling": "nobody"}, InvalidRequest, "ceiling", "NO_SUCH_ARM"),
        ({"ceiling": "steered"}, InvalidRequest, "ceiling", "CONTRADICTORY"),
        ({"swapped_target": "nobody"}, InvalidRequest, "swapped_target", "NO_SUCH_ARM"),
        ({"swapped_target": "steered"}, InvalidRequest, "swapped_target", "CONTRADICTORY"),
        ({"untaught": "no-such-run"}, NotFound, "untaught", "RUN_NOT_FOUND"),
        ({"arms": ()}, InvalidRequest, "arms", "REQUIRED"),
        ({"samples": 4}, InvalidRequest, "samples", "CONTRADICTORY"),
        ({"arms": (STEERED, Arm("random-3"))}, InvalidRequest, "arms[1].name", "RESERVED"),
        ({"arms": (STEERED, Arm("cue"))}, InvalidRequest, "arms[1].name", "RESERVED"),
        (
            {"arms": (Arm("steered", (Intervention(Add(Stored("nonsense"))),)),)},
            NotFound,
            "arms[0].interventions[0].add.operand.vector",
            "VECTOR_NOT_FOUND",
        ),
        (
            {"arms": (Arm("s", (Intervention(Add(Stored("a1-rloo")), sites=(Site(9),)),)),)},
            InvalidRequest,
            "arms[0].interventions[0].sites[0].layer",
            "LAYER_OUT_OF_RANGE",
        ),
    ],
)
def test_a_field_that_can_not_be(a1, change, kind, field, reason):
    error = refused(replace(SPEC, **change), a1)
    assert isinstance(error, kind)
    told = {(violation.field, violation.reason) for violation in error.violations}
    assert (f"spec.evaluate.{field}", reason) in told


def test_everything_wrong_is_told_at_once(a1):
    spec = replace(SPEC, subject="nobody", samples=4, split="nonsense", task="facts")
    fields = {violation.field for violation in refused(spec, a1).violations}
    assert fields >= {f"spec.evaluate.{name}" for name in ("subject", "samples", "split")}


def test_samples_of_one_arm_must_fit_the_server(a1):
    spec = replace(SPEC, samples=1024, sampling=Sampling(temperature=1.0, max_tokens=0))
    assert "TOO_MANY_ROWS" in {violation.reason for violation in refused(spec, a1).violations}


def test_a_vector_is_not_reported_on_what_it_was_chosen_on(a1):
    model, site = a1.model, Site(2)
    direction = a1.store.get("a1-rloo").tensors[site]
    card = Card(
        *(model.id, model.fingerprint, model.d_model, (site,), "rloo"),
        parameters={USED: {"a1": ["train", "select"]}},
    )
    store = Store("memory://chosen")
    store.put(Vector("chosen", {site: direction}, card))
    context = context_of(store)
    try:
        arm = Arm("steered", (Intervention(Add(RandomLike(Stored("chosen")))),))
        Evaluate().check(replace(SPEC, arms=(arm,)), context)
        for split in ("train", "select"):
            error = refused(replace(SPEC, arms=(arm,), split=split), context)
            assert isinstance(error, FailedPrecondition) and error.reason == "SELECTED_ON"
            assert "'chosen'" in error.message and split in error.message
        other = replace(SPEC, task="facts", split="select", n=4, arms=(arm,), strengths=())
        Evaluate().check(other, context)
    finally:
        context.engine.close()


def test_what_a_gate_was_chosen_on_counts_too(a1):
    site, width = Site(0), a1.model.d_model
    card = Card(
        *(a1.model.id, a1.model.fingerprint, width, (site,), "logistic"),
        kind="probe",
        parameters={USED: {"a1": ["select"]}},
    )
    tensors = ProbeTensors(np.ones(width, np.float32), np.zeros(1, np.float32))
    store = Store("memory://gated")
    store.put(Probe("gate", card, {site: tensors}))
    direction = a1.store.get("a1-rloo").tensors[Site(2)]
    store.put(
        Vector(
            "plain",
            {Site(2): direction},
            replace(card, kind="direction", sites=(Site(2),), parameters={}),
        )
    )
    context = context_of(store)
    try:
        gated = Intervention(Add(Stored("plain")), gate=Gate(site, 0.0, probe="gate"))
        spec = replace(SPEC, arms=(replace(STEERED, interventions=(gated,)),), split="select")
        told = [one for one in refused(spec, context).violations if one.reason == "SELECTED_ON"]
        assert any("'gate'" in one.message for one in told)
    finally:
        context.engine.close()


def test_a_task_of_ones_own_is_judged_line_by_line(a1):
    text = '{"id": "1", "prompt": "quiz 3 : a a a a a a ="}\n'
    spec = replace(SPEC, task=InlineTask("mine", text), controls=Controls.NONE)
    error = refused(spec, a1)
    assert [one.field for one in error.violations] == ["spec.evaluate.inline_task.line[1].answer"]


def test_a_problem_that_fills_the_context_is_found_before_the_run(a1):
    words = " ".join(["quiz"] * a1.model.context_length)
    lines = [{"id": str(i), "prompt": f"quiz {i} =", "answer": "1"} for i in range(40)]
    lines += [{"id": f"long-{i}", "prompt": f"{words} {i}", "answer": "1"} for i in range(40)]
    text = "\n".join(map(json.dumps, lines))
    spec = replace(SPEC, task=InlineTask("mine", text), controls=Controls.NONE, strengths=(), n=30)
    error = refused(spec, a1)
    assert [one.reason for one in error.violations] == ["TOO_LONG"]
    assert "long-" in error.message


@pytest.mark.parametrize("chats", [{5, 6, 7, 8, 9, 10}, set(range(60))])
def test_a_problem_that_can_not_be_asked_is_named(a1, chats):
    lines = [
        {"id": f"chat-{i}", "messages": [{"role": "user", "content": f"quiz {i}"}], "answer": "1"}
        if i in chats
        else {"id": str(i), "prompt": f"quiz {i} =", "answer": "1"}
        for i in range(60)
    ]
    text = "\n".join(map(json.dumps, lines))
    spec = replace(SPEC, task=InlineTask("mine", text), controls=Controls.NONE, strengths=(), n=20)
    (told,) = refused(spec, a1).violations
    assert (told.field, told.reason) == ("spec.evaluate.inline_task", "NO_CHAT_TEMPLATE")


def test_a_prefix_leaves_room_for_the_longest_problem(a1):
    lines = [{"id": str(i), "prompt": f"quiz {i} =", "answer": "1"} for i in range(40)]
    words = " ".join(["quiz"] * (a1.model.context_length - 20))
    lines += [{"id": f"long-{i}", "prompt": f"{words} {i}", "answer": "1"} for i in range(40)]
    task = InlineTask("mine", "\n".join(map(json.dumps, lines)))
    drawn = (parse_jsonl(task.jsonl, task.name).items(SPEC.split, 30, seed) for seed in range(99))
    seed = next(seed for seed, items in enumerate(drawn) if items[0].id.isdigit())
    spec = replace(SPEC, task=task, controls=Controls.NONE, strengths=(), n=30, seed=seed)
    Evaluate().check(spec, a1)
    arm = replace(STEERED, forced_prefix=Prompt(token_ids=(5,) * 20))
    (told,) = refused(replace(spec, arms=(arm,)), a1).violations
    assert (told.field, told.reason) == ("spec.evaluate.n", "TOO_LONG")


def test_a_prefix_must_leave_room_for_an_answer(a1):
    arm = replace(STEERED, forced_prefix=Prompt(token_ids=(5,) * 40))
    error = refused(replace(SPEC, arms=(arm,)), a1)
    assert [one.field for one in error.violations] == ["spec.evaluate.arms[0].forced_prefix"]
