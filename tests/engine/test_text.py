"""The text of a row: stop texts are held back and cut, characters never split."""

from hypothesis import given, settings
from hypothesis import strategies as st

from steer.engine.text import RowText
from steer.models.text import Text
from tests import byte_tokenizers

TEXTS = [*byte_tokenizers.TEXTS.values()]
words = st.text(alphabet="ab<>é東🎉 ", max_size=14)


def feed(text: Text, data: bytes, stops: list[str]) -> tuple[list[str], str, bool]:
    """Pieces until a stop or the end, the stop, and whether it came before the end."""
    row, pieces = RowText(text.stream((97,)), stops), []
    for byte in data:
        pieces.append(row.push(byte))
        if row.stopped_by:
            break
    stopped = bool(row.stopped_by)
    pieces.append(row.finish())
    return pieces, row.stopped_by, stopped


def slow(whole: str, stops: list[str]) -> tuple[str, str]:
    """Character by character: the text before the first stop text that is completed."""
    for end in range(len(whole) + 1):
        hits = [(end - len(stop), stop) for stop in stops if whole[:end].endswith(stop)]
        if hits:
            at, stop = min(hits)
            return whole[:at], stop
    return whole, ""


@settings(deadline=None, max_examples=150)
@given(text=st.sampled_from(TEXTS), whole=words)
def test_pieces_are_whole_characters_and_make_the_text(text, whole):
    pieces, _, _ = feed(text, whole.encode(), [])
    assert "".join(pieces) == whole
    assert not any("\ufffd" in piece for piece in pieces)


@settings(deadline=None, max_examples=200)
@given(
    text=st.sampled_from(TEXTS),
    whole=words,
    stops=st.lists(st.text(alphabet="ab<>é🎉", min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_the_first_stop_text_ends_it_and_is_never_given(text, whole, stops):
    pieces, stop, stopped = feed(text, whole.encode(), stops)
    expected, by = slow(whole, stops)
    assert ("".join(pieces), stop) == (expected, by)
    assert stopped == bool(by)


def test_what_may_become_a_stop_text_is_held_back_and_then_given():
    row = RowText(TEXTS[0].stream((97,)), ["<end>"])
    assert [row.push(byte) for byte in b"a<enx"] == ["a", "", "", "", "<enx"]
    assert [row.push(byte) for byte in b"<en"] == ["", "", ""]
    assert row.finish() == "<en"


def test_half_a_character_at_the_end_shows_as_what_it_is():
    row = RowText(TEXTS[0].stream((97,)), [])
    assert [row.push(byte) for byte in "é🎉".encode()[:-1]] == ["", "é", "", "", ""]
    assert row.finish() == "\ufffd"
