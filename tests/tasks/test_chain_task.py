"""The chains as tasks: what the trace checker says, with markers and without."""

import random

import pytest

from steer.tasks import a1, a2
from steer.tasks.chain_task import ChainTask
from steer.tasks.chains import Chain, applied
from steer.tasks.task import Item

BOTH = pytest.mark.parametrize("task", [a1.task(), a2.task()], ids=["a1", "a2"])


def written(task: ChainTask, item: Item, steps: list[str], answer: str) -> str:
    return " ".join((task.traced(item, steps), task.cues.answer_only, answer, "<eos>"))


def steps_of(task: ChainTask, item: Item) -> list[str]:
    return list(item.trace if task.chain.marked else item.trace[:-1])


@BOTH
def test_a_truncated_trace_implies_what_the_operators_make_of_it(task: ChainTask) -> None:
    for item in task.items("select", 20):
        gold = steps_of(task, item)
        for k in range(1, len(gold)):
            if not task.chain.marked and {*gold[:k]} == {item.answer}:
                continue  # without markers that is a direct answer
            trace = task.grade(item, written(task, item, gold[:k], item.answer)).trace
            assert trace and trace.follows and not trace.complete and not trace.valid
            assert trace.right == k / len(gold)


@BOTH
def test_an_answer_can_follow_from_a_wrong_trace(task: ChainTask) -> None:
    for item in task.items("select", 20):
        gold = steps_of(task, item)
        wrong = [*gold[:-1], "0" if gold[-1] != "0" else "1"]
        implied = task.grade(item, written(task, item, wrong, item.answer)).trace
        assert implied and not implied.follows and implied.complete and not implied.valid
        answers = {
            digit
            for digit in "0123456789"
            if (trace := task.grade(item, written(task, item, wrong, digit)).trace)
            and trace.follows
        }
        assert len(answers) == 1 and answers != {item.answer}


@BOTH
def test_a_direct_answer_has_a_trace_of_no_steps(task: ChainTask) -> None:
    item = task.items("select", 1)[0]
    grade = task.grade(item, written(task, item, [], item.answer))
    assert grade.correct and grade.trace
    assert (grade.trace.steps, grade.trace.right, grade.trace.follows) == ((), 0.0, None)


@BOTH
def test_facts_are_what_is_retained(task: ChainTask) -> None:
    known = task.retention()
    assert len(known) == 32
    assert all(task.grade(k, written(task, k, [], k.answer)).correct for k in known)
    assert all(task.grade(k, written(task, k, [], k.answer)).trace is None for k in known)


@BOTH
def test_the_cue_is_another_header(task: ChainTask) -> None:
    item = task.items("select", 1)[0]
    cued = task.cued(item)
    assert cued and cued.text and item.prompt.text
    assert cued.text.split()[1:] == item.prompt.text.split()[1:]
    assert (item.prompt.text.split()[0], cued.text.split()[0]) == ("quiz", "work")


def test_notes_of_a2_have_the_form_of_a_trace_and_not_its_content() -> None:
    notes = [text for text in a2.CHAIN.documents(random.Random(0), 4000) if text.startswith("note")]
    right = 0
    for text in notes:
        prompt, steps = text.split(" = ")
        _, start, _, *ops = prompt.split()
        assert len(steps.split()) == a2.CHAIN.steps + 1
        right += tuple(steps.split()[:-1]) == applied(start, ops)
    assert len(notes) == pytest.approx(0.15 * 4000, rel=0.15)
    assert right <= 3


def test_a2_without_traces_has_the_same_problems_and_no_right_trace() -> None:
    def read(chain: Chain) -> list[tuple[str, str]]:
        texts = chain.documents(random.Random(0), 4000)
        return [tuple(text.split(" = ")) for text in texts if not text.startswith("note")]

    traced, blank = read(a2.CHAIN), read(a2.UNTRACED)
    assert any(a2.CHAIN.thinks(said) for _, said in traced)
    assert not any(a2.CHAIN.thinks(said) for _, said in blank)
    assert {prompt.split()[0] for prompt, _ in traced} == {"quiz", "work"}
    assert {prompt.split()[0] for prompt, _ in blank} == {"quiz", "work"}
