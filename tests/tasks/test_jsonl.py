"""Tasks of the user's own: what is accepted, and everything that is wrong at once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.errors import InvalidRequest, NotFound
from steer.tasks.jsonl import load_jsonl, parse_jsonl
from steer.types import Message


def lines(n: int = 40, **more: object) -> str:
    rows = ({"id": f"q{i}", "prompt": f"{i} + 1 =", "answer": i + 1, **more} for i in range(n))
    return "\n".join(map(json.dumps, rows))


def faults(text: str, how: str = "exact", pattern: str = "") -> dict[str, str]:
    with pytest.raises(InvalidRequest) as raised:
        parse_jsonl(text, "mine", how=how, pattern=pattern)
    return {violation.field: violation.reason for violation in raised.value.violations}


def test_a_file_becomes_a_task(tmp_path: Path) -> None:
    path = tmp_path / "sums.jsonl"
    path.write_text(lines() + "\n\n", "utf-8")
    task = load_jsonl(path, how="number")
    asked = task.items("report", 5)
    assert task.name == "sums"
    assert all(task.grade(item, f"It is {item.answer}.0").correct for item in asked)
    assert not any(task.grade(item, "It is 99").correct for item in asked)
    assert task.grade(asked[0], "no idea").answer is None


def test_splits_are_disjoint_and_hold_everything() -> None:
    task = parse_jsonl(lines(), "mine")
    held = [{item.id for item in items} for items in task.pool.splits.values()]
    assert not held[0] & held[1]
    assert len(held[0] | held[1]) == 40


def test_a_problem_keeps_its_split_in_another_file() -> None:
    whole, part = parse_jsonl(lines(60), "a"), parse_jsonl(lines(40), "b")
    for split, items in part.pool.splits.items():
        assert set(items) <= set(whole.pool.splits[split])


def test_a_problem_in_other_letters_or_spaces_keeps_its_split() -> None:
    """So that what was chosen on a problem is not reported on its like."""

    def splits(write: Callable[[str], str]) -> dict[str, str]:
        rows = ({"id": str(i), "prompt": write(f"add {i} to x"), "answer": "1"} for i in range(40))
        pool = parse_jsonl("\n".join(map(json.dumps, rows)), "mine").pool
        return {item.id: split for split, items in pool.splits.items() for item in items}

    plain = splits(str)
    assert splits(str.upper) == splits(lambda said: said.replace(" ", " \n ")) == plain
    assert splits(lambda said: said.replace("x", "\uff58")) == plain


def test_draws_follow_from_their_arguments_and_have_a_limit() -> None:
    task = parse_jsonl(lines(), "mine")
    assert task.items("select", 6) == task.items("select", 6) != task.items("select", 6, seed=1)
    with pytest.raises(InvalidRequest, match="100 were asked for"):
        task.items("select", 100)
    with pytest.raises(InvalidRequest, match="there are select, report"):
        task.items("train", 1)


def test_messages_traces_and_templates_are_kept() -> None:
    rows = [
        {
            "id": str(i),
            "messages": [{"role": "user", "content": f"{i}?"}],
            "answer": "B",
            "template": "t",
            "trace": ["one", "two"],
        }
        for i in range(40)
    ]
    task = parse_jsonl("\n".join(map(json.dumps, rows)), "mine", how="choice")
    item = task.items("select", 1)[0]
    assert item.prompt.messages == (Message("user", f"{item.id}?"),)
    assert (item.template, item.trace) == ("t", ("one", "two"))
    assert task.traced(item, item.trace) == "one\ntwo\n"
    assert task.grade(item, "It is (B)").correct


def test_everything_wrong_is_said_at_once() -> None:
    bad = [
        '{"id": "a", "prompt": "p1"}',
        "nonsense",
        "[1]",
        '{"id": "a", "prompt": "p2", "answer": "x", "colour": 1}',
        '{"id": "b", "prompt": "p3", "messages": [], "answer": "x"}',
        '{"id": "c", "messages": [{"role": "user"}], "answer": "x"}',
        '{"id": true, "prompt": "p4", "answer": "x", "trace": "s"}',
        '{"id": "d", "prompt": "p5", "answer": " "}',
        '{"id": "e", "prompt": "p6", "answer": "x"}',
        '{"id": "e", "prompt": "p6", "answer": "x"}',
    ]
    assert faults("\n".join(bad)) == {
        "line[1].answer": "MISSING",
        "line[2].json": "NOT_JSON",
        "line[3].json": "NOT_AN_OBJECT",
        "line[4].colour": "UNKNOWN_FIELD",
        "line[5].prompt": "MISSING",
        "line[6].messages": "NOT_MESSAGES",
        "line[7].id": "NOT_TEXT",
        "line[7].trace": "NOT_STEPS",
        "line[8].answer": "NOT_TEXT",
        "line[10].id": "DUPLICATE_ID",
        "line[10].prompt": "DUPLICATE_PROMPT",
    }


@pytest.mark.parametrize(
    "row",
    [
        r'{"id": "h", "prompt": "half \ud800", "answer": "x"}',
        r'{"id": "h", "messages": [{"role": "user", "content": "\udfff"}], "answer": "x"}',
        r'{"id": "h", "prompt": "h", "answer": "x", "trace": ["\ud800"]}',
        r'{"id": "h", "prompt": "h", "answer": "x", "\ud800": 1}',
        '{"id": "h", "prompt": "h", "answer": "x", "answer": "y"}',
        '{"id": "h", "prompt": "h", "answer": NaN}',
    ],
)
def test_what_looks_like_json_and_means_nothing(row: str) -> None:
    """Half a character, two answers, no number: told in words that can be sent."""
    with pytest.raises(InvalidRequest) as raised:
        parse_jsonl(f"{lines()}\n{row}", "mine")
    (violation,) = raised.value.violations
    assert violation.field.startswith("line[41].")
    f"{violation.field} {violation.message}".encode()


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "sums.jsonl").write_bytes(b"\xef\xbb\xbf" + lines().encode())
    assert len(load_jsonl(tmp_path / "sums.jsonl").items("report", 5)) == 5


def test_an_extractor_that_can_never_give_the_answer_is_named() -> None:
    text = lines() + '\n{"id": "w", "prompt": "w", "answer": "many"}'
    assert faults(text, "number") == {"line[41].answer": "NEVER_MATCHES"}
    assert faults(lines(20), "choice").keys() == {f"line[{i}].answer" for i in range(1, 21)}
    assert faults(lines(1), "regex", r"= ([a-z]+)") == {"line[1].answer": "NEVER_MATCHES"}


def test_too_few_items_are_refused() -> None:
    assert set(faults(lines(4)).values()) == {"TOO_FEW_ITEMS"}
    assert set(faults("").values()) == {"TOO_FEW_ITEMS"}


def test_a_file_full_of_errors_is_not_read_to_its_end() -> None:
    found = faults("\n".join(["x"] * 10_000))
    assert len(found) == 51 and found["file"] == "TOO_MANY_ERRORS"


def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.jsonl"):
        load_jsonl(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidRequest, match="UTF-8"):
        load_jsonl(tmp_path / "bytes.jsonl")


@given(st.text())
def test_any_text_is_a_task_or_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_jsonl(text, "mine")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "answer"]), inner),
    )
)
def test_any_json_in_a_field_is_read_or_refused(value: object) -> None:
    for key in ("id", "prompt", "messages", "answer", "template", "trace", "other"):
        row = {"id": "x", "prompt": "asked", "answer": "y", key: value}
        try:
            parse_jsonl(f"{lines()}\n{json.dumps(row)}", "mine")
        except InvalidRequest as error:
            assert error.violations
