"""DataAlchemy: its transformations, its documents, its splits, its grader."""

import random

import pytest

from steer.errors import InvalidRequest
from steer.tasks import dataalchemy as alchemy
from steer.tasks.dataalchemy import F1, F2

TASK = alchemy.task()


def test_transformations_are_rot13_and_a_shift() -> None:
    assert alchemy.transformed(F1, "ANZM") == tuple("NAMZ")
    assert alchemy.transformed(F2, "ABCD") == tuple("BCDA")


@pytest.mark.parametrize(
    ("composition", "document"),
    [
        ((F1, F1), "A B C D F1 F1 <think> N O P Q F1 <answer> A B C D <eos>"),
        ((F1, F2), "A B C D F1 F2 <think> N O P Q F2 <answer> O P Q N <eos>"),
        ((F2, F1), "A B C D F2 F1 <think> B C D A F1 <answer> O P Q N <eos>"),
        ((F2, F2), "A B C D F2 F2 <think> B C D A F2 <answer> C D A B <eos>"),
    ],
)
def test_a_problem_and_its_document(composition: alchemy.Composition, document: str) -> None:
    item = alchemy.problem("ABCD", composition)
    text = document.removeprefix(item.prompt.text or "?").strip()
    grade = TASK.grade(item, text)
    assert grade.correct and grade.trace and grade.trace.valid and grade.trace.follows
    assert f"{item.trace[0]} <answer> {item.answer} <eos>" == text


def test_documents_are_of_known_compositions_in_words_that_exist() -> None:
    for text in alchemy.documents(random.Random(0), 500):
        words = text.split()
        assert set(words) <= set(alchemy.WORDS)
        assert (words[4], words[5]) != alchemy.NEW


def test_no_string_is_in_two_splits_and_the_new_composition_only_in_its_own() -> None:
    drawn = {split: TASK.items(split, 1500) for split in TASK.splits}
    strings = {
        split: {item.id[:7] for item in drawn[split]} for split in ("train", "select", "report")
    }
    assert sum(map(len, strings.values())) == len(set().union(*strings.values()))
    assert {item.template for item in drawn["composition"]} == {"F2 F2"}
    assert {item.template for item in drawn["report"]} == {"F1 F1", "F1 F2", "F2 F1"}


def test_step_and_answer_are_graded_apart() -> None:
    item = alchemy.problem("ABCD", (F2, F1))
    swapped = TASK.grade(item, "N O P Q F2 <answer> O P Q N <eos>")
    assert swapped.correct and swapped.trace
    assert (swapped.trace.right, swapped.trace.valid, swapped.trace.follows) == (0, False, True)
    wrong = TASK.grade(item, "B C D A F1 <answer> B C D A")
    assert not wrong.correct and wrong.trace
    assert (wrong.trace.right, wrong.trace.valid, wrong.trace.follows) == (1, False, False)


@pytest.mark.parametrize("text", ["", "<eos>", "N O P", "A B C D F1 <eos>"])
def test_text_without_an_answer_has_none(text: str) -> None:
    grade = TASK.grade(alchemy.problem("ABCD", (F1, F2)), text)
    assert grade.answer is None and grade.trace and grade.trace.follows is None


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="composition"):
        TASK.items("test", 1)
    with pytest.raises(InvalidRequest, match="10000"):
        TASK.items("report", 10_001)
