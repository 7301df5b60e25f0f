import numpy as np
import pytest

from steer.measure.power import ENOUGH, paired_power, power_of_error
from steer.measure.statistics import mcnemar_exact


@pytest.mark.parametrize(
    ("items", "effect", "discordant"), [(500, 0.05, 0.18), (200, 0.1, 0.3), (1000, 0.03, 0.115)]
)
def test_power_is_how_often_the_test_finds_it(items: int, effect: float, discordant: float) -> None:
    """The exact test is a little more careful than the formula."""
    runs, random = 2000, np.random.default_rng(items)
    better, worse = (discordant + effect) / 2, (discordant - effect) / 2
    cells = random.multinomial(items, [better, worse, 1 - discordant], runs)
    found = np.mean([mcnemar_exact(int(b), int(c)) <= 0.05 for b, c, _ in cells])
    assert paired_power(items, effect, discordant).power == pytest.approx(found, abs=0.05)


def test_the_items_needed_are_enough_and_not_too_many() -> None:
    needed = paired_power(100, 0.05).needed
    assert paired_power(needed, 0.05).enough
    assert not paired_power(needed - 2, 0.05).enough


def test_about_a_thousand_items_for_three_points() -> None:
    """The rule of thumb for arms that differ on 11.5 % of the items."""
    assert paired_power(1000, 0.03, 0.115).power == pytest.approx(ENOUGH, abs=0.01)


def test_after_the_run_it_is_the_same() -> None:
    error = ((0.18 - 0.05**2) / 500) ** 0.5
    before, after = paired_power(500, 0.05), power_of_error(500, 0.05, error)
    assert after.power == pytest.approx(before.power, abs=0.01)
    assert after.needed == pytest.approx(before.needed, rel=0.02)


def test_it_says_so_in_words() -> None:
    assert str(paired_power(100, 0.05)) == (
        "100 items show a difference of 5 points with a probability of 22%; "
        "563 items would with 80%"
    )


@pytest.mark.parametrize(
    ("items", "effect", "discordant"), [(0, 0.1, 0.2), (9, 0, 0.2), (9, 0.3, 0.2)]
)
def test_values_that_can_not_be(items: int, effect: float, discordant: float) -> None:
    with pytest.raises(ValueError, match="items"):
        paired_power(items, effect, discordant)
