import math

import pytest

from steer.measure.drift import drift
from tests.measure.made import record


def test_means_are_over_tokens_and_first_tokens_over_completions() -> None:
    found = drift(
        [
            record("a", "1", True, tokens=1, mean_kl=2.0, first_kl=2.0, baseline_nats=1.0),
            record("a", "2", True, tokens=3, mean_kl=1.0, first_kl=1.0, baseline_nats=3.0),
        ]
    )
    assert found.kl == pytest.approx(5 / 4)
    assert found.first_kl == pytest.approx(1.5)
    assert found.first_share == pytest.approx(3 / 5)
    assert found.perplexity == pytest.approx(math.exp(10 / 4))


def test_change_is_over_touched_positions() -> None:
    rows = [
        record("a", "1", True, touched=10, mean_change=0.1),
        record("a", "2", True, touched=30, mean_change=0.5),
        record("a", "3", True, touched=0, mean_change=0.0),
    ]
    found = drift(rows)
    assert found.change == pytest.approx(0.4)
    assert found.touched == pytest.approx(40 / 3)


def test_what_was_not_measured() -> None:
    found = drift(
        [record("a", "1", True, mean_kl=None, first_kl=None, baseline_nats=None, touched=0)]
    )
    assert (found.kl, found.first_kl, found.first_share, found.perplexity) == (None,) * 4
    assert found.change == 0


def test_an_arm_that_did_not_move_has_no_share() -> None:
    assert drift([record("a", "1", True, mean_kl=0.0, first_kl=0.0)]).first_share is None
