"""The cursor: any chunks give what a look at the whole sequence gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steer.intervene.where import Cursor, acts_before, edges
from steer.types import Decay, DecayShape, Marker, Phase, Range, Where
from tests.intervene.marker_reference import TEXTS, Table, markers
from tests.intervene.where_reference import multipliers

SPECIAL = frozenset({0, 1})
tokens = st.integers(0, len(TEXTS) - 1)
chunked = st.lists(st.lists(tokens, max_size=5), max_size=8)
some_tokens = st.just(()) | st.lists(tokens, max_size=5).map(tuple)
positions = st.none() | st.integers(-15, 30)
wheres = st.builds(
    Where,
    phase=st.sampled_from(Phase),
    ranges=st.lists(st.builds(Range, positions, positions), max_size=3).map(tuple),
    token_ids=st.just(()) | st.lists(tokens, min_size=3, max_size=9).map(tuple),
    exclude_token_ids=some_tokens,
    include_special_tokens=st.booleans(),
    markers=st.just(()) | st.lists(markers, max_size=2).map(tuple),
    every=st.sampled_from([1, 1, 2, 3]),
    decay=st.none() | st.builds(Decay, st.sampled_from(DecayShape), st.integers(1, 6)),
)


def slow(where: Where, prompt_length: int, row: list[int]) -> list[float]:
    return multipliers(where, prompt_length, row, [TEXTS[token] for token in row], SPECIAL)


def flat(chunks: list[list[int]]) -> list[int]:
    return [token for chunk in chunks for token in chunk]


def take(cursor: Cursor, chunks: list[list[int]], start: int = 0) -> list[float]:
    found: list[float] = []
    for chunk in chunks:
        found += cursor.take(start + len(found), chunk)
    return found


@settings(max_examples=1000, deadline=None)
@given(where=wheres, prompt_length=st.integers(1, 12), chunks=chunked)
def test_chunks_do_not_matter(where, prompt_length, chunks):
    found = take(Cursor(where, prompt_length, SPECIAL, Table), chunks)
    assert found == pytest.approx(slow(where, prompt_length, flat(chunks)), abs=1e-12)


@settings(deadline=None)
@given(where=wheres, prompt_length=st.integers(1, 9), before=chunked, one=chunked, other=chunked)
def test_forks_go_on_by_themselves(where, prompt_length, before, one, other):
    cursor = Cursor(where, prompt_length, SPECIAL, Table)
    shared = len(take(cursor, before))
    fork = cursor.fork()
    for follower, rest in ((cursor, one), (fork, other)):
        whole = slow(where, prompt_length, flat(before + rest))
        assert take(follower, rest, shared) == pytest.approx(whole[shared:], abs=1e-12)


@settings(deadline=None)
@given(where=wheres, prompt=st.lists(tokens, min_size=1, max_size=20))
def test_whether_it_acts_before_the_end_of_a_prompt_is_exact(where, prompt):
    multipliers = slow(where, len(prompt), prompt)
    assert acts_before(where, prompt, SPECIAL, Table) == any(multipliers[:-1])


@given(phase=st.sampled_from(Phase), prompt_length=st.integers(1, 9), length=st.integers(0, 9))
def test_what_leaves_the_prompt_alone_can_share_its_prefill(phase, prompt_length, length):
    where = Where(phase)
    multipliers = Cursor(where, prompt_length, SPECIAL).take(0, [3] * (prompt_length - 1 + length))
    if where.phase not in (Phase.PROMPT, Phase.ALL):
        assert not any(multipliers[: prompt_length - 1])
    elif prompt_length > 1:
        assert any(multipliers)


# ---- rules --------------------------------------------------------------------------------------


def marks(where: Where, prompt_length: int, *pieces: str, special: frozenset[int] = frozenset()):
    """Multipliers of a row in which the n-th token says the n-th piece."""
    cursor = Cursor(where, prompt_length, special, lambda: Table(pieces))
    return cursor.take(0, range(len(pieces)))


def plain(where: Where, prompt_length: int, length: int = 8) -> str:
    """One letter a token: ``x`` where it is touched."""
    multipliers = Cursor(where, prompt_length, SPECIAL).take(0, [5] * length)
    return "".join("x" if multiplier else "." for multiplier in multipliers)


@pytest.mark.parametrize(
    ("phase", "touched"),
    [
        (Phase.PROMPT, "xxx....."),
        (Phase.GENERATED, "...xxxxx"),
        (Phase.DECODE, "..xxxxxx"),
        (Phase.FIRST, "..x....."),
        (Phase.ALL, "xxxxxxxx"),
    ],
)
def test_phases(phase, touched):
    assert plain(Where(phase), 3) == touched


@pytest.mark.parametrize(
    ("ranges", "touched"),
    [
        ([Range(1, 3)], ".xx....."),
        ([Range(None, 2)], "xx......"),
        ([Range(5, None)], ".....xxx"),
        ([Range(-2, None)], "..xxxxxx"),
        ([Range(-3, -1)], ".xx....."),
        ([Range(-1, 6)], "...xxx.."),
        ([Range(None, -2)], "xx......"),
        ([Range(-100, 1)], "x......."),
        ([Range(None, -100)], "........"),
        ([Range(5, 2)], "........"),
        ([Range(6, 8), Range(0, 2), Range(1, 3)], "xxx...xx"),
        ([Range(0, 6), Range(1, 2)], "xxxxxx.."),
    ],
)
def test_ranges(ranges, touched):
    assert plain(Where(ranges=tuple(ranges)), 4) == touched


def test_ranges_and_phase_both_hold():
    assert plain(Where(Phase.DECODE, ranges=(Range(0, 2), Range(5, 6))), 4) == ".....x.."


def test_without_a_place_in_common_there_are_no_edges():
    assert edges(Where(Phase.GENERATED, ranges=(Range(0, 4),)), 4) == ()
    assert edges(Where(Phase.GENERATED, ranges=(Range(0, 5),)), 4) == (4, 5)


def test_special_tokens_are_left_alone_where_nothing_is_predicted():
    row = [1, 5, 0, 1, 0]
    assert Cursor(Where(), 4, SPECIAL).take(0, row) == [0, 1, 0, 1, 1]
    assert Cursor(Where(include_special_tokens=True), 4, SPECIAL).take(0, row) == [1] * 5


def test_excluded_tokens_are_left_alone_everywhere():
    where = Where(exclude_token_ids=(5, 1), include_special_tokens=True)
    assert Cursor(where, 2, SPECIAL).take(0, [1, 1, 5, 6]) == [0, 0, 0, 1]


def test_only_given_tokens_that_are_not_excluded():
    where = Where(token_ids=(5, 6), exclude_token_ids=(6,))
    assert Cursor(where, 2, SPECIAL).take(0, [5, 6, 7, 5]) == [1, 0, 0, 1]


def test_every_counts_what_meets_the_other_conditions():
    where = Where(token_ids=(5,), every=2)
    assert Cursor(where, 1, SPECIAL).take(0, [6, 5, 6, 5, 5, 5]) == [0, 1, 0, 0, 1, 0]


def test_decay_counts_positions_from_the_first_touched_one():
    linear = Where(Phase.DECODE, decay=Decay(DecayShape.LINEAR, 4))
    assert Cursor(linear, 2, SPECIAL).take(0, [5] * 7) == [0, 1, 0.75, 0.5, 0.25, 0, 0]
    halving = Where(token_ids=(5,), decay=Decay(DecayShape.EXPONENTIAL, 2))
    assert Cursor(halving, 1, SPECIAL).take(0, [6, 5, 6, 5, 6, 5]) == [0, 1, 0, 0.5, 0, 0.25]


def test_decay_and_every_together():
    where = Where(every=2, decay=Decay(DecayShape.LINEAR, 4))
    assert Cursor(where, 1, SPECIAL).take(0, [5] * 6) == [1, 0, 0.5, 0, 0, 0]


def test_an_exponential_decay_may_go_on_for_ever():
    where = Where(decay=Decay(DecayShape.EXPONENTIAL, 1))
    assert Cursor(where, 1, SPECIAL).take(0, [5] * 3000)[-1] == 0


def test_a_marker_may_open_in_the_prompt_and_act_when_decoding():
    where = Where(Phase.DECODE, markers=(Marker(text="<think>", until="</think>"),))
    row = ["<", "think>", "a", "b", "c", "</think>", "d"]
    assert marks(where, 4, *row) == [0, 0, 0, 1, 1, 0, 0]


def test_special_tokens_open_markers_that_leave_them_alone():
    where = Where(markers=(Marker(text="<s>"),))
    assert marks(where, 4, "<s>", "<s>", "a", "b", special=frozenset({0, 1})) == [0, 0, 1, 1]


def test_every_and_decay_within_markers():
    where = Where(markers=(Marker(text="\n", tokens=3),), every=2)
    assert marks(where, 1, "\n", "a", "b", "c", "d", "\n", "e", "f") == [0, 1, 0, 1, 0, 0, 0, 1]
    where = Where(markers=(Marker(text="\n"),), decay=Decay(DecayShape.LINEAR, 2))
    assert marks(where, 1, "a", "\n", "b", "c", "d") == [0, 0, 1, 0.5, 0]


def test_text_is_read_only_where_it_can_matter():
    def refuse() -> Table:
        raise AssertionError("nobody needs the text")

    assert Cursor(Where(Phase.FIRST), 2, SPECIAL, refuse).take(0, [5, 5]) == [0, 1]
    where = Where(Phase.DECODE, markers=(Marker(text="a"),))
    assert not acts_before(where, [5] * 9, SPECIAL, refuse)
    after = Where(Phase.PROMPT, markers=(Marker(text="a"),))
    cursor = Cursor(after, 2, SPECIAL, lambda: Table(["a", "b"]))
    assert cursor.take(0, [0, 1]) == [0, 1]
    assert cursor.take(2, [99]) == [0]  # of which the table knows nothing


# ---- misuse -------------------------------------------------------------------------------------


def test_markers_need_a_stream():
    with pytest.raises(ValueError, match="give a stream"):
        Cursor(Where(markers=(Marker(text="a"),)), 1, SPECIAL)


def test_a_marker_that_can_not_be_compiled_is_refused():
    with pytest.raises(ValueError, match="regex is not a regular expression"):
        Cursor(Where(markers=(Marker(regex="(?=a)"),)), 1, SPECIAL, Table)


@pytest.mark.parametrize("start", [0, 1, 3])
def test_tokens_come_once_and_in_order(start):
    cursor = Cursor(Where(), 1, SPECIAL)
    cursor.take(0, [5, 5])
    with pytest.raises(ValueError, match=f"position 2 comes next, not {start}"):
        cursor.take(start, [5])
