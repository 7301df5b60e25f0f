import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.measure.modes import modes

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(PAIRS)
def test_the_identities_of_the_paper(pairs: list[tuple[bool, bool]]) -> None:
    found = modes(pairs)
    assert found is not None
    n, right = len(pairs), sum(base for base, _ in pairs)
    gain = (sum(arm for _, arm in pairs) - right) / n
    assert found.delta == pytest.approx(gain)
    assert found.delta == pytest.approx(found.corrected - found.overthought)
    by_rates = (found.correction_rate or 0) * (n - right) - (found.overthinking_rate or 0) * right
    assert found.delta == pytest.approx(by_rates / n)


@given(PAIRS)
def test_both_shares_are_mcnemars_cells(pairs: list[tuple[bool, bool]]) -> None:
    found = modes(pairs)
    assert found is not None
    better, worse = pairs.count((False, True)), pairs.count((True, False))
    assert round(found.corrected * found.n) == better
    assert round(found.overthought * found.n) == worse


def test_a_published_row() -> None:
    """Qwen 7B: fast 67.8, slow 71.8, δ_c 11.8, δ_o 7.7, r_c 36.5, r_o 11.4 (in per cent)."""
    cells = {(False, True): 118, (True, False): 77, (True, True): 601, (False, False): 204}
    found = modes(pair for pair, count in cells.items() for _ in range(count))
    assert found is not None
    assert found.delta == pytest.approx(0.041)
    assert found.correction_rate == pytest.approx(0.365, abs=2e-3)
    assert found.overthinking_rate == pytest.approx(0.114, abs=2e-3)


def test_rates_of_what_never_was() -> None:
    found = modes([(True, True)])
    assert found is not None
    assert (found.correction_rate, found.overthinking_rate) == (None, 0.0)
    assert modes([]) is None
