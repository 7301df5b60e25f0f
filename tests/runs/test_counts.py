"""How many problems a run takes where nobody said."""

import json
from dataclasses import replace

import pytest

from steer.runs.counts import counted
from steer.runs.tasks import load
from steer.specs import (
    Demonstration,
    EvaluateSpec,
    ExtractSpec,
    InlineTask,
    Objective,
    RunSpec,
    SweepSpec,
    TrainSpec,
    UpTo,
)
from steer.types import Prompt

FILE = InlineTask(
    "few",
    "\n".join(json.dumps({"id": i, "prompt": f"{i} + 1", "answer": i + 1}) for i in range(100)),
)
SELECT, REPORT = (load(FILE).most(split) for split in ("select", "report"))
SHOWN = (Demonstration(Prompt("x"), "y"),)
TRAIN = TrainSpec("v", Objective.RLOO)


@pytest.mark.parametrize(
    ("work", "counts"),
    [
        (EvaluateSpec("a1", ()), {"n": 500}),
        (EvaluateSpec(FILE, ()), {"n": REPORT}),
        (EvaluateSpec(FILE, (), split="select"), {"n": SELECT}),
        (EvaluateSpec(FILE, (), n=500), {"n": 500}),
        (EvaluateSpec("facts", ()), {"n": 18}),
        (EvaluateSpec("dataalchemy", (), split="composition"), {"n": 500}),
        (SweepSpec("a1", ()), {"select_n": 200, "report_n": 500}),
        (SweepSpec(FILE, ()), {"select_n": SELECT, "report_n": REPORT}),
        (SweepSpec(FILE, (), select_n=7), {"select_n": 7, "report_n": REPORT}),
        (replace(TRAIN, task="a1"), {"select_n": 200, "train_n": 4000}),
        (replace(TRAIN, task=FILE), {"select_n": SELECT // 4, "train_n": SELECT - SELECT // 4}),
        (replace(TRAIN, task=FILE, select_n=0), {"select_n": 0, "train_n": SELECT}),
        (replace(TRAIN, task=FILE, select_n=9), {"select_n": 9, "train_n": SELECT - 9}),
        (replace(TRAIN, task=FILE, demonstrations=SHOWN), {"select_n": SELECT}),
    ],
)
def test_it_is_what_the_task_has_up_to_the_default(work, counts):
    fixed = counted(RunSpec(work, "mine"))
    assert fixed == RunSpec(replace(work, **counts), "mine")
    assert not any(isinstance(getattr(fixed.work, name), UpTo) for name in counts)


@pytest.mark.parametrize(
    "work",
    [
        EvaluateSpec("nothing", ()),
        EvaluateSpec(FILE, (), split="nothing"),
        ExtractSpec("v"),
        replace(TRAIN, demonstrations=SHOWN),
    ],
)
def test_what_has_no_such_problems_stays_as_it_is(work):
    assert counted(RunSpec(work)) == RunSpec(work)
