"""Events and sentences in the tokens of a row."""

from hypothesis import given
from hypothesis import strategies as st

from steer.runs.extract.segments import Segments


class Pieces:
    """A decoder of tokens that are indices of pieces."""

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces

    def push(self, token: int) -> str:
        return self._pieces[token]

    def fork(self) -> "Pieces":
        return self


def segments(pieces: list[str]) -> Segments:
    return Segments(range(len(pieces)), Pieces(pieces))


def test_an_event_begins_in_the_token_that_brings_its_first_letter():
    row = segments(["<s>", "Let", " me", " th", "ink.", " W", "ait, w", "ait"])
    assert row.events("Wait") == [5]
    assert row.events("ait") == [6, 7]
    assert row.events("<s>") == [0]
    assert row.events("no") == []


def test_a_character_in_several_tokens_is_where_it_is_complete():
    assert segments(["a", "", "", "🎉", "!"]).events("🎉") == [3]


def test_sentences_end_with_their_mark():
    row = segments(["It", " is", ".", " Is", " it?", "\n", "3", ".", "5", "!"])
    assert row.sentences(range(10)) == [(0, 1, 2), (3, 4, 5), (6, 7, 8, 9)]
    assert row.sentences([1, 4, 8]) == [(1,), (4,), (8,)]
    assert row.sentences([]) == []


@given(st.lists(st.sampled_from(["a", " b", ".", "!", "\n", "", " ", '"', "…"])), st.data())
def test_every_position_is_in_one_sentence_and_in_order(pieces, data):
    positions = [i for i in range(len(pieces)) if data.draw(st.booleans())]
    found = segments(pieces).sentences(positions)
    assert [place for group in found for place in group] == positions
    assert all(found)
