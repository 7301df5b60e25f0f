"""Correction and overthinking of revised answers, with intervals."""

import pytest

from steer.measure.revision import revised
from steer.measure.statistics import wilson


def test_rates_are_of_those_that_were_wrong_or_right_at_first():
    pairs = [(False, True)] * 6 + [(False, False)] * 14 + [(True, False)] * 3 + [(True, True)] * 27
    found = revised(pairs, range(50))
    assert found.modes.correction_rate == found.correction.value == 6 / 20
    assert found.modes.overthinking_rate == found.overthinking.value == 3 / 30
    assert (found.correction.low, found.correction.high) == pytest.approx(wilson(6, 20))
    assert (found.overthinking.low, found.overthinking.high) == pytest.approx(wilson(3, 30))
    assert found.delta.value == pytest.approx(found.modes.delta) == pytest.approx(3 / 50)
    assert found.delta.low < 3 / 50 < found.delta.high


def test_items_of_one_template_say_less():
    pairs = [(False, True)] * 10 + [(False, False)] * 10
    apart = revised(pairs, range(20)).correction
    together = revised(pairs, [i // 5 for i in range(20)]).correction
    assert together.high - together.low > apart.high - apart.low


def test_nothing_wrong_is_nothing_to_correct():
    found = revised([(True, True)] * 5, range(5))
    assert found.correction is None and found.overthinking.value == 0
    assert revised([], []) is None
