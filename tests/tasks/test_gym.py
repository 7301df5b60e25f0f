"""reasoning-gym and Math-Verify, through their own scorers."""

import json
import time
from contextlib import closing
from dataclasses import replace

import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.tasks.catalog import load_task
from steer.tasks.gym import load_gym
from steer.tasks.jsonl import parse_jsonl
from steer.tasks.mathematics import Judge


@pytest.mark.parametrize("generator", ["basic_arithmetic", "chain_sum", "spell_backward"])
def test_a_generators_own_answers_are_right(generator: str) -> None:
    task = load_gym(generator, size=40)
    for split in task.splits:
        asked = task.items(split, 8)
        assert all(task.grade(item, item.answer).correct for item in asked)
        assert all(
            task.grade(item, f"So <answer>{item.answer}</answer>.").correct for item in asked
        )
        assert not any(task.grade(item, "never").correct for item in asked)
        assert task.grade(asked[0], " ").answer is None


def test_problems_follow_from_the_arguments_and_splits_share_none() -> None:
    first, second = load_gym("chain_sum", size=60), load_gym("chain_sum", size=60)
    assert first.pool == second.pool != load_gym("chain_sum", size=60, seed=1).pool
    held = [{item.id for item in items} for items in first.pool.splits.values()]
    assert not held[0] & held[1]


def test_repeated_problems_are_left_out() -> None:
    task = load_gym("chain_sum", size=300, min_terms=2, max_terms=2, min_digits=1, max_digits=1)
    held = [item.id for items in task.pool.splits.values() for item in items]
    assert len(held) == len(set(held)) < 300


def test_a_generator_is_a_task_by_name() -> None:
    task = load_task("gym/chain_sum")
    assert task is load_task("gym/chain_sum") and task.name == "gym/chain_sum"
    assert len(task.items("report", 500)) == 500
    with pytest.raises(NotFound, match="chain_sum"):
        load_task("gym/nonsense")


@pytest.mark.parametrize("generator", ["n_queens", "spiral_matrix", "simple_integration"])
def test_a_scorer_that_runs_what_a_model_writes_is_refused(generator: str) -> None:
    with pytest.raises(FailedPrecondition, match="runs what a model writes"):
        load_gym(generator, size=2)


def test_a_scorer_that_falls_over_an_answer_finds_it_wrong() -> None:
    class Falls:
        def score_answer(self, answer: str, entry: object) -> float:
            raise IndexError(answer)

    task = replace(load_gym("chain_sum", size=20), dataset=Falls())
    assert not task.grade(task.items("report", 1)[0], "7").correct


def test_what_the_library_refuses_is_said() -> None:
    with pytest.raises(NotFound, match="basic_arithmetic"):
        load_gym("nonsense")
    for bad in ({"colour": 1}, {"min_terms": -1}):
        with pytest.raises(InvalidRequest, match="basic_arithmetic"):
            load_gym("basic_arithmetic", **bad)
    with pytest.raises(InvalidRequest, match="size"):
        load_gym("basic_arithmetic", size=0)


def test_mathematics_is_compared_as_such() -> None:
    rows = ({"id": str(i), "prompt": f"{i}?", "answer": r"\frac{1}{2}"} for i in range(40))
    task = parse_jsonl("\n".join(map(json.dumps, rows)), "halves", how="math")
    item = task.items("report", 1)[0]
    for text, right in {
        "It is $0.5$.": True,
        r"Thus \boxed{\frac{2}{4}}": True,
        "It is $0.6$": False,
        "no idea": False,
    }.items():
        assert task.grade(item, text).correct is right


def test_what_never_ends_is_not_right() -> None:
    with closing(Judge(seconds=2)) as judge:
        assert judge.same("0.5", r"\frac{1}{2}")
        for endless in ("9^{9^{9^9}}", "(10^9)!"):
            began = time.monotonic()
            assert judge.read(f"${endless}$") == endless and not judge.same(endless, "1")
            assert not judge.same(endless, "1") and time.monotonic() - began < 30
        # A long text is read at its end, and not kept whole.
        assert judge.read("$7$ " + "so " * 10_000 + "$8$") == "8"
        # The process that was ended has a successor.
        assert judge.same("2", r"\frac{4}{2}") and judge.read("half \ud800") is None
