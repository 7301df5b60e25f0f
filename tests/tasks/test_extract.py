"""Reading answers from completions of a user's task."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.errors import InvalidRequest
from steer.tasks.extract import EXTRACTORS, extractor


@pytest.mark.parametrize(
    ("how", "pattern", "text", "answer"),
    [
        ("exact", "", "  Paris \n", "Paris"),
        ("exact", "", " \n", None),
        ("last_line", "", "so\n\n 7 apples \n\n", "7 apples"),
        ("last_line", "", "\n", None),
        ("number", "", "3 + 4 = 7.", "7"),
        ("number", "", "it costs $1,234.50 today", "1234.5"),
        ("number", "", "1000.0", "1000"),
        ("number", "", "from 5 to −2", "-2"),
        ("number", "", "1e3", "1000"),
        ("number", "", ".5", "0.5"),
        ("number", "", "1e99999999999999999999", None),
        ("number", "", "-0.0", "0"),
        ("number", "", "v2 of x3", None),
        ("number", "", "none . at - all,", None),
        ("choice", "", "The answer is (B).", "B"),
        ("choice", "", "A or B? I'd say C", "C"),
        ("choice", "", "D: because", "D"),
        ("choice", "", "ABC", None),
        ("regex", r"answer is (\d+)", "answer is 4, no: answer is 5!", "5"),
        ("regex", r"\d+", "1 2 3", "3"),
        ("regex", r"(?i)answer:\s*(?P<it>[a-z()]+)", "ANSWER: Yes", "Yes"),
        ("regex", r"answer is (\d+)", "no idea", None),
    ],
)
def test_what_is_read(how: str, pattern: str, text: str, answer: str | None) -> None:
    assert extractor(how, pattern).read(text) == answer


@pytest.mark.parametrize(
    ("how", "pattern", "text", "characters"),
    [
        ("exact", "", "  Paris \n", "Paris"),
        ("exact", "", " \n", None),
        ("last_line", "", "so\n\n 7 apples \n\n", "7 apples"),
        ("last_line", "", "7", "7"),
        ("last_line", "", "\n", None),
        ("number", "", "from 5 to $1,234.50 a day", "1,234.50"),
        ("number", "", "none", None),
        ("choice", "", "A or (B), it is", "B"),
        ("choice", "", "ABC", None),
        ("regex", r"é: (\d+)?", "é: 4 é: 15 é", "15"),
        ("regex", r"x(\d)?", "x1 x", None),
        ("regex", r" \w+", "a bc", "bc"),
    ],
)
def test_where_it_stands(how: str, pattern: str, text: str, characters: str | None) -> None:
    find = extractor(how, pattern).find
    assert find is not None
    span = find(text)
    assert (None if span is None else text[slice(*span)]) == characters


@given(
    st.sampled_from(["exact", "number", "choice", "last_line"]), st.text("aB5. ,-\n(", max_size=12)
)
def test_what_is_found_is_what_is_read(how: str, text: str) -> None:
    reads = extractor(how)
    assert reads.find is not None
    span = reads.find(text)
    assert reads.read(text) == (None if span is None else reads.read(text[slice(*span)]))


@pytest.mark.parametrize(
    ("how", "pattern", "answer", "comparable"),
    [
        ("number", "", "1,000", "1000"),
        ("number", "", "7 apples", None),
        ("number", "", "", None),
        ("choice", "", "(B)", "B"),
        ("choice", "", "Beirut", None),
        ("last_line", "", "two\nlines", None),
        ("regex", r"answer is (\d+)", "42", "42"),
        ("regex", r"answer is (\d+)", "forty", None),
        ("regex", r"(?i)x=([a-c])", "B", "B"),
        ("regex", r"x=([a-c])", "B", None),
        ("regex", r"[(](\w+|\(\w\))[)]", "(q)", "(q)"),
        ("regex", r"\((\w+)\)", "q", "q"),
        ("regex", r"(?:is|=) (?P<it>\d(?:\.\d)?)", "1.5", "1.5"),
    ],
)
def test_which_gold_answers_can_be_given(
    how: str, pattern: str, answer: str, comparable: str | None
) -> None:
    assert extractor(how, pattern).gold(answer) == comparable


@pytest.mark.parametrize(
    ("how", "pattern", "said"),
    [
        ("json", "", "there are exact, number, choice, regex, last_line"),
        ("regex", "", "regex"),
        ("exact", "x", "exact"),
        ("regex", "(", "no regular expression"),
        ("regex", "(?=a)", "no regular expression"),
        ("regex", "(a)(b)", "2 groups"),
    ],
)
def test_bad_extractors_are_refused(how: str, pattern: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        extractor(how, pattern)


@given(st.text(), st.sampled_from(sorted(set(EXTRACTORS) - {"math", "regex"})))
def test_an_answer_that_can_be_given_is_read_from_itself(answer: str, how: str) -> None:
    ways = extractor(how)
    if (gold := ways.gold(answer)) is not None:
        assert ways.read(answer) == gold


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.text("ab .\n"))
def test_the_last_number_is_found_behind_words(number: object, words: str) -> None:
    ways = extractor("number")
    assert ways.read(f"12 {words} {number}") == ways.gold(str(number))
