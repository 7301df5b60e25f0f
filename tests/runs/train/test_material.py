"""What training shows: gold traces, those of other problems, problems that choose kept apart."""

from dataclasses import replace

import pytest

from steer.errors import InvalidRequest
from steer.runs.train.material import Material
from steer.specs import InlineTask, Objective, TrainSpec
from steer.tasks.jsonl import parse_jsonl
from steer.tasks.task import Task
from steer.types import Prompt
from tests.helpers import TEXT

LINES = "\n".join(f'{{"id": "{i}", "prompt": "t{i}", "answer": "t{i + 1}", "trace": ["t{i + 2}"]}}'
                  for i in range(10, 90))  # fmt: skip
TASK = InlineTask("own", LINES)
SPEC = TrainSpec("made", Objective.CROSS_ENTROPY, task=TASK, train_n=20, select_n=5, batch=4)
END = 2


def material(spec: TrainSpec = SPEC, task: Task | None = None) -> Material:
    return Material(spec, task or parse_jsonl(TASK.jsonl, "own"), TEXT, END)


def test_a_target_is_the_gold_trace_and_its_end() -> None:
    given = material()
    first = int(given.problems[0].id)
    assert given.prompt(0) == TEXT.encode(Prompt(text=f"t{first}"), "")
    assert given.target(0) == (first + 2, first + 1, END)
    assert replace(given, end=None).target(0) == (first + 2, first + 1)


def test_swapped_targets_are_the_next_problems() -> None:
    plain, swapped = material(), material(replace(SPEC, swapped=True))
    count = len(plain.problems)
    assert [swapped.target(i) for i in range(count)] == [
        plain.target((i + 1) % count) for i in range(count)
    ]
    assert [swapped.prompt(i) for i in range(count)] == [plain.prompt(i) for i in range(count)]


def test_what_chooses_is_not_trained_on() -> None:
    given = material()
    chosen, trained = ({item.id for item in some} for some in (given.selecting, given.problems))
    assert (len(chosen), len(trained)) == (5, 20) and not chosen & trained
    assert given.used_splits == ["select"]
    with pytest.raises(InvalidRequest, match="has"):
        assert material(replace(SPEC, train_n=70)).problems


def test_a_step_draws_by_seed_and_number_alone() -> None:
    given, other = material(), material(replace(SPEC, seed=1))
    assert given.drawn(3) == material().drawn(3) != given.drawn(4)
    assert given.drawn(3) != other.drawn(3)
    assert len({*given.drawn(3)}) == 4
    assert sorted(material(replace(SPEC, batch=100)).drawn(1)) == list(range(20))
