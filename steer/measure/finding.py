"""What one rule of a verdict found, in numbers and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from steer.measure.effect import ControlShare
from steer.measure.nulls import Nulls
from steer.measure.paired import Difference
from steer.measure.recovery import Share


@dataclass(frozen=True, slots=True)
class Finding:
    """``holds``: None when the arms do not tell, or are not there. ``arms``: those it looked at.

    ``numbers``: what it decided by, fractions; ``says``: the same in words, points and per cent.
    """

    rule: str
    arms: tuple[str, ...]
    holds: bool | None
    says: str
    numbers: Mapping[str, float] = field(default_factory=dict)


def nothing(rule: str, why: str, *arms: str) -> Finding:
    """A rule without anything to look at."""
    return Finding(rule, arms, None, why)


def of_difference(rule: str, arm: str, found: Difference, holds: bool | None) -> Finding:
    """A rule about a difference to the baseline."""
    says = f"{points(found.value, found.low, found.high)}, corrected p {found.p_holm:.2g}"
    numbers = {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "within": found.within,
        "p_holm": found.p_holm,
    }
    return Finding(rule, (arm,), holds, says, numbers)


def of_shares(
    rule: str, shares: Sequence[tuple[str, Share]], holds: bool | None, *more: str
) -> Finding:
    """A rule about named shares of the gain; ``more`` is said after them, and why some are not."""
    why = {share.undefined: None for _, share in shares if share.undefined}
    says = "; ".join([*(f"{name} {percent(share)}" for name, share in shares), *more, *why])
    numbers = {
        f"{name}.{end}": number
        for name, share in shares
        for end, number in (("share", share.value), ("low", share.low), ("high", share.high))
        if number is not None
    }
    return Finding(rule, tuple(name for name, _ in shares), holds, says, numbers)


def named(controls: Sequence[ControlShare]) -> list[tuple[str, Share]]:
    """Controls' shares by the names of their arms."""
    return [(one.arm, one.share) for one in controls]


def points(value: float, low: float, high: float) -> str:
    """A difference and its interval, as "+4.0 [-1.0, 9.0] points"."""
    return f"{100 * value:+.1f} [{100 * low:.1f}, {100 * high:.1f}] points"


def percent(share: Share) -> str:
    """A share and its interval, as "63 % [58, 68]"."""
    if share.value is None or share.low is None or share.high is None:
        return "undefined"
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def seeds(null: Nulls) -> str:
    """Accuracies of a kind of null vector, as "20 random vectors reach 8.4 to 14.6 %"."""
    reach = f"{100 * null.accuracy.least:.1f} to {100 * null.accuracy.most:.1f} %"
    return f"{null.accuracy.n} {null.role} vectors reach {reach}"
