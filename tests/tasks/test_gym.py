"""reasoning-gym and Math-Verify, through their own scorers."""

import json

import pytest

from steer.errors import InvalidRequest, NotFound
from steer.tasks.gym import load_gym
from steer.tasks.jsonl import parse_jsonl


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
