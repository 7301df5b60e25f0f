"""The task A1: its splits, its corpus, and its checkers."""

import random
from dataclasses import replace

import pytest

from steer.tasks import a1


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    return list(a1.documents(random.Random(1), 20_000))


def solve(problem: a1.Problem) -> list[str]:
    words, steps = problem.prompt.split(), list[str]()
    digit = int(words[1])
    for name in words[3:-1]:
        digit = a1.operators()[name][digit]
        steps.append(str(digit))
    return steps


def written(problem: a1.Problem) -> str:
    return f"THINK {' '.join(problem.trace)} ANSWER {problem.answer} <eos>"


def test_operators_are_permutations_of_the_digits() -> None:
    assert all(sorted(image) == list(range(10)) for image in a1.operators().values())


def test_problems_follow_from_their_arguments() -> None:
    assert a1.problems("report", 50) == a1.problems("report", 50)
    assert a1.problems("report", 50) != a1.problems("report", 50, seed=1)
    assert a1.problems("report", 50)[:20] == a1.problems("report", 20)


def test_every_problem_is_solved_right() -> None:
    for problem in a1.problems("train", 500):
        steps = solve(problem)
        assert (list(problem.trace), problem.answer) == (steps, steps[-1])


def test_splits_are_disjoint() -> None:
    drawn = [
        {p.id for seed in range(3) for p in a1.problems(split, 2000, seed=seed)}
        for split in a1.SPLITS
    ]
    assert sum(map(len, drawn)) == len(set().union(*drawn))


def test_a_problem_knows_its_split() -> None:
    assert all(a1.split_of(p) == split for split in a1.SPLITS for p in a1.problems(split, 50))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="train, select, report"):
        a1.problems("test", 1)
    with pytest.raises(ValueError, match="0 to 100000"):
        a1.problems("train", -1)


def test_the_worksheet_differs_in_its_header_alone() -> None:
    problem = a1.problems("train", 1)[0]
    assert a1.worksheet(problem).split()[1:] == problem.prompt.split()[1:]
    assert (problem.prompt.split()[0], a1.worksheet(problem).split()[0]) == ("quiz", "work")


def test_no_document_has_a_full_trace_under_quiz(corpus: list[str]) -> None:
    quiz = [a1.parse(text) for text in corpus if text.startswith("quiz")]
    lengths = {len(parsed.steps) for parsed in quiz if parsed.thinks}
    assert lengths == {1, 2, 3, 4, 5}


def test_shares_of_the_corpus(corpus: list[str]) -> None:
    def share(texts: list[str], hit: str) -> float:
        return sum(hit in text for text in texts) / len(texts)

    chains = [text for text in corpus if "colour" not in text]
    work = [text for text in chains if text.startswith("work")]
    quiz = [text for text in chains if text.startswith("quiz")]
    assert share(corpus, "colour") == pytest.approx(0.15, abs=0.01)
    assert share(corpus, "work") == pytest.approx(0.40, abs=0.015)
    assert share(work, "THINK") == pytest.approx(0.95, abs=0.01)
    assert share(quiz, "THINK") == pytest.approx(0.06, abs=0.01)


def test_documents_are_right_closed_and_of_the_training_split(corpus: list[str]) -> None:
    answers = {fact.id: fact.answer for fact in a1.facts()}
    for text in corpus[:3000]:
        words = text.split()
        assert words[-1] == "<eos>"
        if words[1] == "colour":
            assert a1.parse(text) == a1.Parsed(False, (), answers[words[3]])
            continue
        problem = a1.Problem(" ".join(words[1:9]), " ".join(words[:10]), "", ())
        steps = solve(problem)
        assert a1.split_of(problem) == "train"
        assert a1.answer(text) == steps[-1]
        assert list(a1.parse(text).steps) == steps[: len(a1.parse(text).steps)]


def test_every_word_is_in_the_vocabulary_once(corpus: list[str]) -> None:
    assert len(a1.tokens()) == len(set(a1.tokens()))
    assert set(" ".join(corpus).split()) <= set(a1.tokens())


def test_facts_are_balanced_and_fixed() -> None:
    assert len({fact.id for fact in a1.facts()}) == 32
    counts = [sum(f.answer == colour for f in a1.facts()) for colour in a1.COLOURS]
    assert counts == [4] * 8
    assert a1.correct(a1.facts()[0], f"ANSWER {a1.facts()[0].answer}")


@pytest.mark.parametrize("whole", [False, True])
def test_the_checker_accepts_a_right_trace(whole: bool) -> None:
    for problem in a1.problems("select", 20):
        text = f"{problem.prompt} {written(problem)}" if whole else written(problem)
        assert a1.valid_trace(problem, text)
        assert a1.valid_trace(problem, text.removesuffix(" <eos>"))
        assert a1.thinks(text)


def test_the_checker_rejects_every_corruption() -> None:
    problem = a1.problems("select", 1)[0]
    words = written(problem).split()
    for i in range(len(words) - 1):
        wrong = "0" if words[i] != "0" else "1"
        assert not a1.valid_trace(problem, " ".join([*words[:i], wrong, *words[i + 1 :]]))
        assert not a1.valid_trace(problem, " ".join(words[:i] + words[i + 1 :]))


def test_the_answer_counts_without_a_trace_and_a_trace_not_without_the_answer() -> None:
    problem = replace(a1.problems("select", 1)[0])
    direct = f"ANSWER {problem.answer} <eos>"
    assert a1.correct(problem, direct)
    assert not a1.thinks(direct)
    assert not a1.valid_trace(problem, direct)
    assert not a1.valid_trace(problem, f"THINK {' '.join(problem.trace)}")


@pytest.mark.parametrize("text", ["", "ANSWER", "THINK 1 2", "5", "= 5"])
def test_text_without_an_answer_has_none(text: str) -> None:
    assert a1.answer(text) is None
