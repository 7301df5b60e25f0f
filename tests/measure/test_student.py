import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from steer.measure.student import spread, t_quantile


@given(st.integers(1, 9999), st.floats(0.05, 0.9999))
def test_quantiles_as_scipy_has_them(df: int, level: float) -> None:
    assert t_quantile(level, df) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=1e-8)


def test_many_degrees_of_freedom_are_normal() -> None:
    for df in (10_000, 10**7):
        assert t_quantile(0.95, df) == pytest.approx(stats.t.ppf(0.975, df), rel=2e-4)


def test_no_degree_of_freedom() -> None:
    with pytest.raises(ValueError, match="degree"):
        t_quantile(0.95, 0)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_spread_as_scipy_has_it(values: list[float]) -> None:
    found = spread(values)
    mean, sd = np.mean(values), np.std(values, ddof=1)
    assert (found.n, found.mean, found.sd) == (
        len(values),
        pytest.approx(mean),
        pytest.approx(sd, abs=1e-12),
    )
    assert (found.least, found.most) == (min(values), max(values))
    if sd > 1e-9:
        low, high = stats.t.interval(0.95, len(values) - 1, mean, sd / len(values) ** 0.5)
        assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_one_number_has_no_spread() -> None:
    found = spread([0.3])
    assert (found.mean, found.sd, found.low, found.high) == (0.3, None, None, None)


def test_no_number() -> None:
    with pytest.raises(ValueError, match="no numbers"):
        spread([])
