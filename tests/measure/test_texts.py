import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.measure.texts import distinct, texts
from tests.measure.made import record


@pytest.mark.parametrize(
    ("ids", "n", "share"),
    [
        ([1, 2, 3, 4], 2, 1.0),
        ([1, 2, 1, 2, 1], 2, 0.5),
        ([7] * 11, 2, 0.1),
        ([7], 2, 1.0),
        ([], 2, 1.0),
        ([1, 1, 2], 1, 2 / 3),
    ],
)
def test_distinct(ids: list[int], n: int, share: float) -> None:
    assert distinct(ids, n) == pytest.approx(share)


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 4))
def test_distinct_is_a_share(ids: list[int], n: int) -> None:
    assert 0 < distinct(ids, n) <= 1


def test_an_arms_texts() -> None:
    found = texts(
        [
            record("a", "1", True, tokens=4, finish="stop", distinct2=1.0),
            record("a", "2", True, tokens=10, finish="stop_sequence", distinct2=0.8),
            record("a", "3", False, tokens=40, finish="length", distinct2=0.0),
            record("a", "4", False, tokens=6, finish="cancelled", distinct2=1.0),
        ]
    )
    assert (found.mean_tokens, found.median_tokens, found.most_tokens) == (15, 8, 40)
    assert (found.ended, found.cut) == (0.5, 0.25)
    assert found.repetition == pytest.approx(0.3)
