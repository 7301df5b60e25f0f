"""What holds for every task that ships."""

import pytest

from steer.errors import InvalidRequest, NotFound
from steer.tasks.catalog import TASKS, load_task
from steer.tasks.task import REPORT, SELECT, Task

EVERY = pytest.mark.parametrize("name", TASKS)
N = 12


@EVERY
def test_splits_are_there_disjoint_and_reproducible(name: str) -> None:
    task: Task = load_task(name)
    assert task.name == name and {SELECT, REPORT} <= set(task.splits)
    chosen, told = task.items(SELECT, N), task.items(REPORT, N)
    assert len({item.id for item in (*chosen, *told)}) == 2 * N
    assert task.items(REPORT, N) == told != task.items(REPORT, N, seed=1)


@EVERY
def test_gold_is_right_and_garbage_is_not(name: str) -> None:
    task = load_task(name)
    for item in task.items(SELECT, N):
        gold = task.cues.answer_only
        steps = item.trace if task.cues.answer_only or not item.trace else item.trace[:-1]
        grade = task.grade(item, f"{task.traced(item, steps)} {gold} {item.answer} <eos>")
        assert grade.correct and grade.answer == item.answer
        assert (grade.trace is None) == (not item.trace)
        if grade.trace:
            assert grade.trace.valid and grade.trace.complete and grade.trace.follows
            assert (grade.trace.right, grade.trace.steps) == (1.0, tuple(steps))
        assert not task.grade(item, "").correct
        assert task.grade(item, "").answer is None


@EVERY
def test_what_does_not_exist_is_refused(name: str) -> None:
    task = load_task(name)
    for split, n in (("none", 1), (REPORT, -1), (REPORT, 10**9)):
        with pytest.raises(InvalidRequest):
            task.items(split, n)


def test_an_unknown_task_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="a1, a2"):
        load_task("b7")


@EVERY
def test_a_solution_is_right_in_every_step(name: str) -> None:
    task = load_task(name)
    for item in (*task.items(SELECT, N), *task.retention()):
        grade = task.grade(item, task.solution(item))
        assert grade.correct and (grade.trace is None or grade.trace.valid)
