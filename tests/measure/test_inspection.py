"""Shares of a gain, on counts where they are known."""

import json

import pytest

from steer.measure.inspection import inspected

N = 200


def right(count: int) -> list[bool]:
    """The first ``count`` of the problems."""
    return [place < count for place in range(N)]


def test_shares_are_of_the_gain():
    found = inspected(
        {"baseline": right(20), "steered": right(180), "forced": right(132)},
        {0: right(20), 1: right(132), 4: right(180)},
    )
    assert (found.baseline, found.steered, found.forced) == (0.1, 0.9, 0.66)
    assert found.first_token_equivalent.value == pytest.approx(0.7)
    assert found.first_token_equivalent.low < 0.7 < found.first_token_equivalent.high
    assert found.at == pytest.approx({0: 0.0, 1: 0.7, 4: 0.3})
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["upto"]["4"]["value"] == 1 and told["at"]["1"] == pytest.approx(0.7)


def test_no_part_is_told_of_a_gain_that_may_be_none():
    found = inspected(
        {"baseline": right(20), "steered": right(21), "forced": right(40)}, {1: right(21)}
    )
    assert found.first_token_equivalent.value is None
    assert "steered arm is not clear" in found.first_token_equivalent.undefined
    assert found.at == {}
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_vector_that_harms_has_no_gain():
    found = inspected(
        {"baseline": right(100), "steered": right(20), "forced": right(90)}, {1: right(30)}
    )
    assert found.first_token_equivalent.value is None
