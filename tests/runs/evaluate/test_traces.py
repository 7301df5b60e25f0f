"""What is written in the place of an item's trace."""

import pytest

from steer.measure.records import MeasuredArm, Role
from steer.runs.evaluate.entries import Entry
from steer.runs.evaluate.traces import Rewriter, Writer
from steer.tasks.catalog import load_task
from steer.types import Arm, Prompt

A1 = load_task("a1")
FIRST, SECOND, THIRD = A1.items("report", 3)
OWN = {FIRST.id: ("4", "9", "1", "0"), SECOND.id: ("7", "7"), THIRD.id: ("4", "9", "1", "0")}


def entry(role, value=None):
    return Entry(MeasuredArm("x", role, value), Arm("x"))


@pytest.fixture
def rewriter(a1):
    return Rewriter(Writer(A1, a1.planner.text), OWN)


def written(rewriter, item, role, value=None):
    """The words a completion begins with; None where there is no such arm."""
    arm = rewriter.arm_for(entry(role, value), item)
    if arm is None:
        return None
    return " ".join(rewriter.writer.text.pieces(arm.forced_prefix.token_ids)).split()


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (0.0, "ANSWER"),
        (0.25, "THINK 4 ANSWER"),
        (0.5, "THINK 4 9 ANSWER"),
        (0.75, "THINK 4 9 1 ANSWER"),
    ],
)
def test_a_truncated_trace_is_asked_for_its_answer(rewriter, kept, words):
    assert written(rewriter, FIRST, Role.TRUNCATED, kept) == words.split()


def test_a_swapped_trace_is_that_of_the_next_item_with_another(rewriter):
    assert written(rewriter, FIRST, Role.SWAPPED) == "THINK 7 7 ANSWER".split()
    assert written(rewriter, SECOND, Role.SWAPPED) == "THINK 4 9 1 0 ANSWER".split()
    assert written(rewriter, THIRD, Role.SWAPPED) == "THINK 7 7 ANSWER".split()


def test_a_corrupted_trace_ends_in_its_mistake_and_goes_on(rewriter):
    for item in (FIRST, SECOND, THIRD):
        think, *steps = written(rewriter, item, Role.CORRUPTED)
        own = OWN[item.id]
        assert think == "THINK" and "ANSWER" not in steps
        assert tuple(steps[:-1]) == own[: len(steps) - 1]
        assert steps[-1] != own[len(steps) - 1]


def test_a_filler_says_nothing_as_long(rewriter):
    think, *filler, answer = written(rewriter, FIRST, Role.FILLER)
    assert (think, answer) == ("THINK", "ANSWER")
    assert filler == [A1.cues.filler] * 4


def test_an_item_without_a_trace_has_none_of_these(a1):
    alone = Rewriter(Writer(A1, a1.planner.text), {FIRST.id: ("4",)})
    for role in (Role.SWAPPED, Role.CORRUPTED, Role.TRUNCATED, Role.FILLER):
        assert alone.arm_for(entry(role, 0.5), SECOND) is None
    # There is nothing to swap with, and no other step to write instead.
    assert alone.arm_for(entry(Role.SWAPPED), FIRST) is None
    assert alone.arm_for(entry(Role.CORRUPTED), FIRST) is None
    assert alone.arm_for(entry(Role.FILLER), FIRST) == Arm(
        "x", forced_prefix=Prompt(token_ids=alone.writer.filler(FIRST, 1))
    )
