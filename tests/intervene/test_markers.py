"""Markers: what opens and closes them, against a look at the whole text and by rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from steer.errors import InvalidRequest, Violations
from steer.intervene.markers import (
    LARGEST_PROGRAM,
    LOOKBACK,
    MOST_MARKERS,
    Markers,
    check_markers,
    compile_marker,
)
from steer.models.text import Text
from steer.types import Marker
from tests.intervene.marker_reference import TEXTS, Table, markers, open_at, rows


def follow(marker: Marker, *pieces: str) -> str:
    """One letter a token: ``x`` where the marker is open."""
    machine = Markers((marker,), Table(pieces))
    return "".join("x" if machine.take(token) else "." for token in range(len(pieces)))


@settings(max_examples=600, deadline=None)
@given(marker=markers, row=rows)
def test_a_marker_is_open_where_the_whole_text_says(marker, row):
    machine = Markers((marker,), Table())
    assert [machine.take(token) for token in row] == open_at(marker, [TEXTS[t] for t in row])


@given(several=st.lists(markers, min_size=1, max_size=3), row=rows)
def test_any_of_several_markers_counts(several, row):
    machine = Markers(several, Table())
    each = [open_at(marker, [TEXTS[t] for t in row]) for marker in several]
    assert [machine.take(token) for token in row] == [any(at) for at in zip(*each, strict=True)]


@given(marker=markers, before=rows, one=rows, other=rows)
def test_forks_go_on_by_themselves(marker, before, one, other):
    machine = Markers((marker,), Table())
    for token in before:
        machine.take(token)
    fork = machine.fork()
    for follower, rest in ((machine, one), (fork, other)):
        whole = open_at(marker, [TEXTS[t] for t in before + rest])
        assert [follower.take(token) for token in rest] == whole[len(before) :]


# ---- rules --------------------------------------------------------------------------------------

THINK = Marker(text="<think>", until="</think>")
BREAK = Marker(text="\n\n", tokens=2)


def test_it_opens_after_the_text_and_the_closing_token_is_outside():
    assert follow(THINK, "<think>", "a", "b", "</think>", "c") == ".xx.."


def test_texts_are_found_across_tokens():
    assert follow(THINK, "a<", "thi", "nk>", "b", "c</", "thi", "nk>d", "e") == "...xxx.."


def test_the_token_that_completes_the_text_is_outside_whatever_follows_in_it():
    assert follow(THINK, "<think>a", "b", "c</think>", "d") == ".x.."


@pytest.mark.parametrize("ends", [("\n\n",), ("\n", "\n"), (".\n", "\nx"), ("\n\n\n\n",)])
def test_some_tokens_after_a_paragraph_break(ends):
    assert follow(BREAK, "a", *ends, "b", "c", "d") == "." * (1 + len(ends)) + "xx."


def test_a_break_within_the_window_starts_the_count_again():
    assert follow(BREAK, "\n\n", "a", "\n\n", "b", "c", "d") == ".xxxx."
    assert follow(BREAK, "\n\n", "a", "\n", "\n", "b", "c", "d") == ".xx.xx."


def test_tokens_without_text_count():
    assert follow(BREAK, "\n\n", "", "", "b") == ".xx."


def test_whichever_closes_first():
    marker = Marker(text="<", until=">", tokens=2)
    assert follow(marker, "<", "a", ">", "b") == ".x.."
    assert follow(marker, "<", "a", "b", "c", ">") == ".xx.."


def test_it_may_open_again():
    assert follow(THINK, "<think>", "a", "</think>", "b", "<think>", "c") == ".x...x"
    assert follow(THINK, "<think>", "a", "</think><think>", "b") == ".x.x"


def test_what_opened_it_may_also_close_it():
    assert follow(Marker(text="```", until="```"), "```", "a", "```", "b", "```", "c") == ".x...x"


def test_text_that_closed_it_does_not_open_it():
    assert follow(Marker(text="aa", until="ba"), "aa", "x", "ba", "a", "a", "x") == ".x...x"
    assert follow(Marker(text="aa", until="ba"), "aa", "x", "ba", "a", "b", "x") == ".x...."


def test_opened_and_closed_within_one_token_it_is_closed():
    assert follow(THINK, "<think></think>", "a") == ".."


def test_without_an_end_it_stays_open():
    assert follow(Marker(text="a"), "b", "a", "b", "a", "b") == "..xxx"


def test_an_expression_opens_at_the_first_token_at_which_it_matches():
    assert follow(Marker(regex="wai+t?", tokens=1), "wa", "i", "i", "t", "x") == "..x.."


def test_an_expression_sees_the_text_before_it():
    assert follow(Marker(regex="^b"), "a", "b", "c") == "..."
    assert follow(Marker(regex="(?m)^b"), "a\n", "b", "c") == "..x"
    assert follow(Marker(regex=r"\bb", tokens=1), "a", "b", " b", "c") == "...x"


def test_the_end_of_the_text_so_far_is_an_end():
    assert follow(Marker(regex=r"\bwait\b", tokens=1), "wait", "ing", "x") == ".x."
    assert follow(Marker(regex=r"[.]$", tokens=1), "a.b", "c.", "d") == "..x"


def test_matches_do_not_overlap():
    assert follow(Marker(regex="a.a", tokens=1), "aba", "ba", "x") == ".x."


@pytest.mark.parametrize(("gap", "found"), [(LOOKBACK - 1, "x"), (LOOKBACK, ".")])
def test_a_match_begins_at_most_so_far_back(gap, found):
    assert follow(Marker(regex="(?s)a.*b"), "a" + "." * gap, "b", "c") == ".." + found


def test_a_literal_may_be_as_long_as_the_limit():
    pieces = ["é"] * (LOOKBACK // 2)
    assert follow(Marker(text="".join(pieces)), *pieces, "a") == "." * len(pieces) + "x"


# ---- real tokenizers ----------------------------------------------------------------------------


def byte_level() -> Text:
    """Byte-level BPE in which most characters of two and more bytes are several tokens."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=290, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(["wait wait then think </think> \n\n"] * 3, trainer)
    backend.add_special_tokens([AddedToken("<think>", special=True)])
    return Text(PreTrainedTokenizerFast(tokenizer_object=backend), backend.get_vocab_size())


BPE = byte_level()
unicode_text = st.text(alphabet="wait \né東🎉<>/", max_size=20)


def ids(text: str) -> list[int]:
    backend = BPE._tokenizer.backend_tokenizer
    return list(backend.encode(text, add_special_tokens=False).ids)


def test_special_tokens_are_matched():
    row = ids("東 <think>東🎉</think> 東")
    machine = Markers((THINK,), BPE.stream((), special=True))
    is_open = [machine.take(token) for token in row]
    inside = BPE.decode(tuple(token for token, yes in zip(row, is_open, strict=True) if yes))
    assert inside.startswith("東🎉")
    assert "</think>".startswith(inside.removeprefix("東🎉"))
    assert not is_open[-1]


@settings(deadline=None)
@given(
    text=unicode_text,
    more=unicode_text,
    marker=st.builds(
        Marker,
        text=st.sampled_from(["東", "é東", "🎉", "<think>", "wai"]),
        until=st.sampled_from(["", "é", "t <"]),
        tokens=st.none() | st.integers(1, 5),
    ),
)
def test_characters_of_several_tokens(text, more, marker):
    row = ids(f"{text}{marker.text}{more}<think>{text}{marker.until}{more}")
    stream, machine = BPE.stream((), special=True), Markers((marker,), BPE.stream((), special=True))
    pieces = [stream.push(token) for token in row]
    assert [machine.take(token) for token in row] == open_at(marker, pieces)


@given(row=st.lists(st.integers(0, 255), max_size=40))
def test_bytes_that_are_no_text_do_no_harm(row):
    machine = Markers((Marker(text="a", tokens=3),), BPE.stream((), special=True))
    assert len([machine.take(token) for token in row]) == len(row)


# ---- what is refused ----------------------------------------------------------------------------

REFUSED = {
    "nothing": (Marker(), "", "REQUIRED"),
    "both": (Marker(text="a", regex="b"), "", "REQUIRED"),
    "no tokens": (Marker(text="a", tokens=0), ".tokens", "OUT_OF_RANGE"),
    "long text": (Marker(text="é" * LOOKBACK), ".text", "TOO_LONG"),
    "long until": (Marker(text="a", until="b" * (LOOKBACK + 1)), ".until", "TOO_LONG"),
    "long regex": (Marker(regex="a" * (LOOKBACK + 1)), ".regex", "TOO_LONG"),
    "surrogate": (Marker(text="\ud800"), ".text", "NOT_TEXT"),
    "surrogate in a regex": (Marker(regex="\ud800"), ".regex", "NOT_TEXT"),
    "unbalanced": (Marker(regex="(a"), ".regex", "INVALID_REGEX"),
    "lookahead": (Marker(regex="a(?=b)"), ".regex", "INVALID_REGEX"),
    "lookbehind": (Marker(regex="(?<!a)b"), ".regex", "INVALID_REGEX"),
    "backreference": (Marker(regex=r"(a)\1"), ".regex", "INVALID_REGEX"),
    "large": (Marker(regex=r"(?:\pL\pN){2}"), ".regex", "TOO_LARGE"),
    "huge": (Marker(regex=r"(?:(?:\pL\pN){30}){30}"), ".regex", "INVALID_REGEX"),
    "star": (Marker(regex="a*"), ".regex", "MATCHES_EMPTY"),
    "alternative": (Marker(regex="a|"), ".regex", "MATCHES_EMPTY"),
    "start": (Marker(regex="^"), ".regex", "MATCHES_EMPTY"),
    "end": (Marker(regex="a*$"), ".regex", "MATCHES_EMPTY"),
    "line": (Marker(regex="(?m)$"), ".regex", "MATCHES_EMPTY"),
    "boundary": (Marker(regex=r"\b"), ".regex", "MATCHES_EMPTY"),
    "no boundary": (Marker(regex=r"\B|a"), ".regex", "MATCHES_EMPTY"),
}


@pytest.mark.parametrize(("marker", "field", "reason"), REFUSED.values(), ids=REFUSED)
def test_bad_markers_are_named(marker, field, reason, capfd):
    found = Violations()
    check_markers((Marker(text="fine"), marker), "where.markers", found)
    with pytest.raises(InvalidRequest) as caught:
        found.raise_if_any()
    said = [(violation.field, violation.reason) for violation in caught.value.violations]
    assert said == [(f"where.markers[1]{field}", reason)]
    with pytest.raises(ValueError, match="marker: "):
        compile_marker(marker)
    assert capfd.readouterr().err == ""


def test_everything_wrong_is_said_at_once():
    found = Violations()
    check_markers([Marker(regex="(", tokens=0), Marker(regex="x*")], "m", found)
    with pytest.raises(InvalidRequest) as caught:
        found.raise_if_any()
    fields = {violation.field for violation in caught.value.violations}
    assert fields == {"m[0].tokens", "m[0].regex", "m[1].regex"}


def test_the_engine_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"regex is not a regular expression .*missing \): \(a"):
        compile_marker(Marker(regex="(a"))


def test_there_may_be_only_so_many():
    found = Violations()
    check_markers([Marker(text="a")] * MOST_MARKERS, "m", found)
    assert not found
    check_markers([Marker(text="a")] * (MOST_MARKERS + 1), "m", found)
    assert found.under("m")


@pytest.mark.parametrize(
    "regex",
    [
        r"(?i)\b(wait|hmm|alternatively|let me (check|verify|think))\b",
        r"\n\n\s*\pL+",
        r"Step \d{1,3}[:.]",
        r"[^.!?]*[.!?]\s",
        r"\p{Han}+。",
        r"(?m)^#+ .+$",
    ],
)
def test_what_users_write_is_accepted(regex):
    assert compile_marker(Marker(regex=regex)).opens.program.programsize <= LARGEST_PROGRAM
