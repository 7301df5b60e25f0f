"""How much a sample can show: power and size for a paired difference of proportions."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from steer.measure.statistics import LEVEL, normal_quantile

# What a sample should reach before its silence counts: J. Cohen, "Statistical Power Analysis for
# the Behavioral Sciences" (1988).
ENOUGH = 0.8
# Two arms that guess independently among ten answers differ on 18 % of the items.
DISCORDANT = 0.18


@dataclass(frozen=True, slots=True)
class Power:
    """The probability that ``items`` items show a difference of ``effect`` at 5 %, two-sided.

    ``needed``: how many items show it with a probability of 0.8.
    """

    effect: float
    items: int
    power: float
    needed: int

    @property
    def enough(self) -> bool:
        """Whether the sample is as large as it should be."""
        return self.power >= ENOUGH

    def __str__(self) -> str:
        return (
            f"{self.items} items show a difference of {100 * self.effect:g} points with a "
            f"probability of {self.power:.0%}; {self.needed} items would with {ENOUGH:.0%}"
        )


def paired_power(items: int, effect: float, discordant: float = DISCORDANT) -> Power:
    """Before a run: the power of McNemar's test for ``items`` items that stand alone.

    ``discordant``: the share of items on which the two arms differ, |effect| to 1. Raises
    ValueError for values that can not be. Under the null d̄ has variance ψ/n, under a difference Δ
    (ψ - Δ²)/n: power Φ((Δ√n - z√ψ)/√(ψ - Δ²)). Source: O. S. Miettinen, Biometrics 24 (1968),
    339-352; R. J. Connor, Biometrics 43 (1987), 207-211.
    """
    size, z = abs(effect), normal_quantile(LEVEL)
    if items < 1 or not 0 < size < 1 or not size <= discordant <= 1:
        raise ValueError(
            f"want items >= 1 and 0 < |effect| <= discordant <= 1, |effect| < 1, not {items}, "
            f"{effect}, {discordant}"
        )
    spare = math.sqrt(max(discordant - size**2, 0.0))
    needed = ((z * math.sqrt(discordant) + _reach() * spare) / size) ** 2
    power = NormalDist().cdf((size * math.sqrt(items) - z * math.sqrt(discordant)) / spare)
    return Power(size, items, power, math.ceil(needed))


def power_of_error(items: int, effect: float, error: float) -> Power:
    """After a run: the same, from the standard error (> 0) of the difference that was measured.

    It asks what a difference of ``effect`` would have shown, never the one that was observed, whose
    "power" only says p again (Hoenig and Heisey, American Statistician 55 (2001), 19-24).
    """
    z, normal = normal_quantile(LEVEL), NormalDist()
    shift = abs(effect) / error
    power = normal.cdf(shift - z) + normal.cdf(-shift - z)
    return Power(abs(effect), items, power, math.ceil(items * ((z + _reach()) / shift) ** 2))


def _reach() -> float:
    return NormalDist().inv_cdf(ENOUGH)
