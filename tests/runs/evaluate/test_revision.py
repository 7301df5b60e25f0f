"""Revised arms of an evaluation: answer, critique, revised answer."""

import json
from dataclasses import replace

import pytest

from steer.critiquing import CritiqueTemplates, critique_prompt, revise_prompt
from steer.errors import InvalidRequest
from steer.measure.modes import modes
from steer.runs.evaluate.asking import Asking
from steer.specs import Controls, InlineTask, Revision, Stage
from steer.tasks.catalog import load_task
from steer.types import Arm, Prompt, Trial
from tests.runs.evaluate.conftest import SPEC, SUBJECT, evaluated
from tests.runs.evaluate.test_checks import refused

TEMPLATES = CritiqueTemplates("{question}{answer} {question}", "{answer}{critique} {question}")
REVISED = replace(
    SPEC,
    controls=Controls.NONE,
    strengths=(),
    n=16,
    revision=Revision((Stage.REVISE,), TEMPLATES, critique_tokens=3),
)
TASK = load_task("a1")


@pytest.fixture(scope="module")
def done(a1):
    return evaluated(REVISED, a1)


def revisions(done):
    return [one for result in done.results.values() for one in result.get("revisions", ())]


def said(context, prompt, arm, item, most):
    """One greedy completion, by itself."""
    asking = Asking(REVISED, TASK, 99)
    sampling = replace(REVISED.sampling, max_tokens=most, seed=asking.seed(item))
    arms = () if arm is None else (arm,)
    plan = context.planner.trial(Trial(prompt, arms, arm is None, sampling=sampling), "x")
    ((_, answer),) = context.answers([("x", plan)])
    return answer.rows[0][0].text


@pytest.mark.parametrize("name", ["baseline", "steered"])
def test_each_stage_is_asked_what_was_said_before_under_its_own_treatment(a1, done, name):
    (one,) = [r for r in revisions(done) if r["arm"] == f"{name}/revised"][:1]
    item = next(i for i in TASK.items("report", 16) if i.id == one["item"])
    own = SUBJECT if name == "steered" else None
    assert one["answer"] == said(a1, item.prompt, None, item, TASK.max_tokens)
    asked = critique_prompt(item.prompt, one["answer"], TEMPLATES)
    assert one["critique"] == said(a1, asked, None, item, 3)
    asked = revise_prompt(item.prompt, one["answer"], one["critique"], TEMPLATES)
    assert one["revised"] == said(a1, asked, own, item, TASK.max_tokens)
    assert one["first_right"] == TASK.grade(item, one["answer"]).correct
    assert one["revised_right"] == TASK.grade(item, one["revised"]).correct


def test_the_report_has_rates_texts_and_revised_arms(done):
    told = done.report["revision"]
    assert told["stages"] == ["revise"]
    for name in ("baseline/revised", "steered/revised"):
        own = [one for one in revisions(done) if one["arm"] == name]
        plain = modes([(one["first_right"], one["revised_right"]) for one in own])
        found = told["arms"][name]
        assert found["modes"]["delta"] == plain.delta
        assert found["correction"]["value"] == plain.correction_rate
        assert found["correction"]["low"] - 1e-9 <= plain.correction_rate
        assert plain.correction_rate <= found["correction"]["high"]
        (row,) = (row for row in done.report["table"] if row["arm"] == name)
        assert row["role"] == "revised" and row["correction_rate"] == plain.correction_rate
    assert len({one["item"] for one in told["examples"]}) == 6
    json.dumps(done.report, allow_nan=False)


def test_the_first_answer_can_be_the_arms_own(a1):
    revision = Revision((Stage.ANSWER,), TEMPLATES)
    done = evaluated(replace(REVISED, n=8, revision=revision), a1)
    own = [one for one in revisions(done) if one["arm"] == "steered/revised"]
    assert sum(one["first_right"] for one in own) >= 7
    found = done.report["revision"]["arms"]["steered/revised"]
    assert found["overthinking"]["n"] >= 7


def test_results_do_not_depend_on_what_is_done_together(a1, done):
    arms = (SUBJECT, replace(SUBJECT, name="again"))
    more = evaluated(replace(REVISED, arms=arms), a1)
    first = [one for one in revisions(done) if one["arm"] == "steered/revised"]
    assert [one for one in revisions(more) if one["arm"] == "steered/revised"] == first


CHAT = InlineTask(
    "chat",
    "\n".join(
        json.dumps({"id": i, "messages": [{"role": "user", "content": f"{i}"}], "answer": "4"})
        for i in range(40)
    ),
)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"revision": Revision(templates=CritiqueTemplates("so?"))}, "revision.critique_template"),
        ({"revision": Revision(templates=CritiqueTemplates("", "{question}"))},
         "revision.revise_template"),
        ({"revision": Revision(critique_tokens=10**6)}, "revision"),
        ({"task": CHAT, "n": 5, "revision": Revision()}, "inline_task"),
    ],
)  # fmt: skip
def test_what_can_not_be_revised(a1, change, field):
    error = refused(replace(REVISED, **change), a1)
    assert isinstance(error, InvalidRequest)
    assert f"spec.evaluate.{field}" in {violation.field for violation in error.violations}


def test_an_arms_own_prompt_is_of_the_answer_alone(a1):
    cued = Arm("cued", prompt=Prompt(text="work 7 : h e h b b d ="))
    spec = replace(REVISED, n=8, arms=(cued,), revision=Revision((Stage.ANSWER,), TEMPLATES))
    done = evaluated(spec, a1)
    asked = [one for one in revisions(done) if one["arm"] == "cued/revised"]
    assert len({one["answer"] for one in asked}) == 1
