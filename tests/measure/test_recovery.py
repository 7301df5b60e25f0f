import numpy as np
import pytest

from steer.measure.recovery import shares


def drawn(random: np.random.Generator, n: int, *rates: float) -> list[np.ndarray]:
    return [(random.random(n) < rate).astype(float) for rate in rates]


def test_the_share_is_the_ratio_of_both_differences() -> None:
    base, arm, ceiling = drawn(np.random.default_rng(0), 400, 0.2, 0.5, 0.9)
    (found,) = shares((arm - base)[:, None], ceiling - base, np.arange(400), draws=2000)
    expected = (arm.mean() - base.mean()) / (ceiling.mean() - base.mean())
    assert found.value == pytest.approx(expected)
    assert found.low is not None and found.high is not None
    assert found.low < expected < found.high
    assert found.undefined == ""


def test_a_whole_that_may_be_nothing_leaves_the_share_undefined() -> None:
    base, arm, ceiling = drawn(np.random.default_rng(1), 400, 0.5, 0.8, 0.52)
    (found,) = shares((arm - base)[:, None], ceiling - base, np.arange(400), draws=200)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert "ceiling is not clear of the baseline" in found.undefined


def test_a_whole_below_the_baseline_is_none() -> None:
    base, arm, ceiling = drawn(np.random.default_rng(1), 400, 0.5, 0.8, 0.1)
    (found,) = shares((arm - base)[:, None], ceiling - base, np.arange(400), draws=200)
    assert found.value is None


def test_twice_the_error_is_the_border() -> None:
    """Of 100 differences with mean m and sample error s: defined if and only if m > 2s."""
    for up, defined in ((3, False), (4, True)):
        whole = np.array([1.0] * up + [0.0] * (100 - up))
        clear = bool(whole.mean() > 2 * whole.std(ddof=1) / 10)
        (found,) = shares(np.zeros((100, 1)), whole, np.arange(100), draws=100)
        assert (found.value is not None) is clear is defined


def test_an_interval_may_be_endless() -> None:
    """A whole just clear of nothing may be nothing in some resamples."""
    whole = np.array([1.0] * 5 + [0.0] * 95)
    part = np.array([1.0] * 50 + [0.0] * 50)
    (found,) = shares(part[:, None], whole, np.arange(100), draws=2000)
    assert found.value == pytest.approx(10)
    assert found.high == np.inf


def test_no_items_in_common() -> None:
    (found,) = shares(np.full((3, 1), np.nan), np.ones(3), np.arange(3), draws=100)
    assert found.undefined == "no items in common"


def test_one_cluster() -> None:
    (found,) = shares(np.ones((3, 1)), np.ones(3), np.zeros(3, dtype=int), draws=100)
    assert "one cluster" in found.undefined


def test_columns_do_not_change_each_other() -> None:
    base, one, other, whole = drawn(np.random.default_rng(2), 200, 0.1, 0.3, 0.6, 0.9)
    parts = np.stack([one - base, other - base], axis=1)
    parts[:50, 1] = np.nan
    both = shares(parts, whole - base, np.arange(200), draws=500)
    assert shares(parts[:, :1], whole - base, np.arange(200), draws=500) == both[:1]
    assert shares(parts[:, 1:], whole - base, np.arange(200), draws=500) == both[1:]


@pytest.mark.parametrize("rate", [0.12, 0.45, 0.78])
def test_intervals_cover_what_they_say(rate: float) -> None:
    runs, n, random = 400, 200, np.random.default_rng(7)
    truth, covered = (rate - 0.1) / (0.8 - 0.1), 0
    for _ in range(runs):
        base, arm, whole = drawn(random, n, 0.1, rate, 0.8)
        (found,) = shares((arm - base)[:, None], whole - base, np.arange(n), draws=500)
        assert found.low is not None and found.high is not None
        covered += found.low <= truth <= found.high
    assert covered >= runs * 0.95 - 4 * (runs * 0.95 * 0.05) ** 0.5


def test_a_higher_level_is_wider() -> None:
    base, arm, whole = drawn(np.random.default_rng(3), 200, 0.1, 0.4, 0.8)
    parts = np.stack([arm - base] * 2, axis=1)
    usual, wide = shares(parts, whole - base, np.arange(200), levels=[0.95, 0.995], draws=4000)
    assert usual.low is not None and wide.low is not None
    assert wide.low < usual.low
