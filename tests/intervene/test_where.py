"""The cursor: any chunks give what a look at the whole sequence gives."""

from hypothesis import given
from hypothesis import strategies as st

from steer.intervene.where import Cursor, touches_prompt
from steer.types import Phase, Where

SPECIAL = frozenset({0, 1})
wheres = st.builds(Where, phase=st.sampled_from(Phase), include_special_tokens=st.booleans())


def slow(where: Where, prompt_length: int, tokens: list[int]) -> list[float]:
    """From the definition, token by token."""
    inside = {
        Phase.PROMPT: lambda p: p < prompt_length,
        Phase.GENERATED: lambda p: p >= prompt_length,
        Phase.DECODE: lambda p: p >= prompt_length - 1,
        Phase.FIRST: lambda p: p == prompt_length - 1,
        Phase.ALL: lambda p: True,
    }[where.phase]
    return [
        float(
            inside(p)
            and (where.include_special_tokens or token not in SPECIAL or p >= prompt_length - 1)
        )
        for p, token in enumerate(tokens)
    ]


@given(
    where=wheres,
    prompt_length=st.integers(1, 12),
    chunks=st.lists(st.lists(st.integers(0, 4), max_size=5), max_size=8),
)
def test_chunks_do_not_matter(where, prompt_length, chunks):
    cursor, start, found = Cursor(where, prompt_length, SPECIAL), 0, []
    for chunk in chunks:
        found += cursor.take(start, chunk)
        start += len(chunk)
    assert found == slow(where, prompt_length, [token for chunk in chunks for token in chunk])


@given(where=wheres, prompt_length=st.integers(1, 9), length=st.integers(0, 9))
def test_what_leaves_the_prompt_alone_can_share_its_prefill(where, prompt_length, length):
    multipliers = Cursor(where, prompt_length, SPECIAL).take(0, [3] * (prompt_length - 1 + length))
    if not touches_prompt(where):
        assert not any(multipliers[: prompt_length - 1])
    elif prompt_length > 1:
        assert any(multipliers)
