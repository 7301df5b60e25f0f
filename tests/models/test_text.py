"""The text of a row, token by token, whatever bytes the tokens hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steer.models.text import LONGEST, TextStream
from tests.byte_tokenizers import TEXTS, THINK, WORD

each = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
rows = st.lists(st.integers(0, THINK) | st.sampled_from([0x41, 0xE6, 0xBC, 0xA2]), max_size=40)


def whole(stream: TextStream, row: list[int]) -> str:
    return "".join(map(stream.push, row)) + stream.flush()


@each
@given(said=st.text(alphabet="aé東🎉 ", max_size=12), more=st.text(alphabet="bé東🎉", max_size=12))
def test_characters_come_whole_and_once(text, said, more):
    row = [*said.encode(), WORD, *more.encode()]
    stream = text.stream(())
    pieces = [stream.push(token) for token in row]
    assert "".join(pieces) == text.decode(tuple(row))
    assert not any("\ufffd" in piece for piece in pieces)
    assert stream.flush() == ""


@settings(deadline=None)
@given(row=rows)
def test_bytes_that_are_no_text_are_shown_as_the_decoder_does(row):
    text = TEXTS["byte level"]
    assert whole(text.stream(()), row) == text.decode(tuple(row))


@settings(deadline=None)
@given(row=rows)
def test_one_bad_byte_does_not_spoil_its_neighbours(row):
    """The decoder of byte fallback shows a whole run as bad, which is too late for a stream."""
    stream = TEXTS["byte fallback"].stream(())
    before, after = whole(stream, row), whole(stream, [WORD, *"東".encode(), WORD])
    assert (before + after).endswith("word東 word")


@each
def test_special_tokens_are_shown_on_request(text):
    row = [THINK, WORD, THINK, THINK, WORD]
    assert whole(text.stream(()), row).split() == ["word", "word"]
    shown = whole(text.stream((), special=True), row)
    assert shown.replace(" ", "") == "<think>word<think><think>word"


@each
def test_a_prompt_that_ends_within_a_character_is_not_said_again(text):
    first, *rest = "東".encode()
    stream = text.stream((WORD, WORD, first))
    assert whole(stream, [*rest, WORD]) == "東 word"


@each
def test_a_prompt_may_be_cut_within_a_character(text):
    assert whole(text.stream((0xB1, *"京".encode(), 0x41)), [*"都".encode()]) == "都"


@each
@pytest.mark.parametrize("token", [0xE6, 0x80, THINK])
def test_what_is_kept_does_not_grow(text, token):
    stream = text.stream(())
    kept = []
    for _ in range(10 * LONGEST):
        stream.push(token)
        kept.append(len(stream._ids))
    assert max(kept) <= 2 * LONGEST
    assert stream.push(WORD).endswith("word")


@each
@given(before=rows, one=rows, other=rows)
def test_forks_go_on_by_themselves(text, before, one, other):
    streams = [text.stream(()) for _ in range(2)]
    for stream in streams:
        for token in before:
            stream.push(token)
    fork = streams[0].fork()
    assert whole(fork, other) == whole(streams[1], other)
    again = text.stream(())
    for token in before:
        again.push(token)
    assert whole(streams[0], one) == whole(again, one)
