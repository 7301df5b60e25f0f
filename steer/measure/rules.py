"""The rules a verdict is made of. Each asks one question of arms by their roles, and may not know.

A rule decides by intervals or corrected p values against thresholds fixed beforehand
(``thresholds``), never by a number alone. Shares are of the steered arm's gain (``recovery``).
docs/verdict.md says the same in plain words.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from steer.measure.effect import CONTENT, TOKENS, Effect
from steer.measure.finding import (
    Finding,
    named,
    nothing,
    of_difference,
    of_shares,
    points,
    seeds,
)
from steer.measure.nulls import Nulls
from steer.measure.paired import Difference
from steer.measure.records import Role
from steer.measure.recovery import Share
from steer.measure.statistics import nulls_needed
from steer.measure.thresholds import ALPHA, HALF, MARGIN


def rises(arm: str, gain: Difference) -> Finding:
    """Whether accuracy is above the baseline's: certain, and not by less than MARGIN."""
    certain = gain.p_holm <= ALPHA and gain.low > 0 and not _negligible(gain)
    excluded = gain.high <= MARGIN or _negligible(gain)
    return of_difference("accuracy rises", arm, gain, _either(certain, excluded))


def falls(arm: str, gain: Difference) -> Finding:
    """Whether accuracy is below the baseline's: certain, and not by less than MARGIN."""
    certain = gain.p_holm <= ALPHA and gain.high < 0 and not _negligible(gain)
    excluded = gain.low >= -MARGIN or _negligible(gain)
    return of_difference("accuracy falls", arm, gain, _either(certain, excluded))


def stays(arm: str, gain: Difference) -> Finding:
    """Whether accuracy is the baseline's to MARGIN: two one-sided tests.

    Source: D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987), 657-680.
    """
    return of_difference("accuracy stays", arm, gain, _either(_negligible(gain), _apart(gain)))


def forgets(arm: str, kept: Difference | None) -> Finding:
    """Whether retention is below the baseline's. Any certain loss counts: such sets are small."""
    rule = "retention falls"
    if kept is None:
        return nothing(rule, "no retention items", arm)
    certain = kept.p_holm <= ALPHA and kept.high < 0
    return of_difference(rule, arm, kept, _either(certain, kept.low >= -MARGIN))


def outweighs(arm: str, gain: Difference, kept: Difference | None) -> Finding:
    """Whether more accuracy is gained than retention lost.

    The interval of the sum of both differences is made from their own, in squares: G. Zou and A.
    Donner, Statistics in Medicine 27 (2008), 1693-1702.
    """
    rule = "the gain outweighs what is forgotten"
    if kept is None:
        return nothing(rule, "no retention items", arm)
    net = gain.value + kept.value
    low = net - math.hypot(gain.value - gain.low, kept.value - kept.low)
    high = net + math.hypot(gain.high - gain.value, kept.high - kept.value)
    says = f"both together {points(net, low, high)}"
    numbers = {"value": net, "low": low, "high": high}
    return Finding(rule, (arm,), _either(low > 0, high <= 0), says, numbers)


def beyond_random(arm: str, null: Nulls | None) -> Finding:
    """Whether the steered arm is more accurate than random vectors of its norm, as vectors.

    A permutation test among vectors: a vector that is one of the null's is above all N others with
    probability 1/(N + 1), whatever pushes of that size do to a model.
    """
    rule = "beyond random vectors"
    if null is None:
        return nothing(rule, "no random vectors", arm)
    needed = nulls_needed(1)
    says = f"{seeds(null)}; permutation p {null.p:.3f}, corrected {null.p_holm:.3f}"
    excluded = null.p > ALPHA and len(null.arms) >= needed
    if null.p > ALPHA and not excluded:
        says += f"; {ALPHA:g} needs {needed} of them"
    holds = _either(null.p_holm <= ALPHA, excluded)
    numbers = {"p": null.p, "p_holm": null.p_holm, "seeds": len(null.arms)}
    return Finding(rule, (arm, *null.arms), holds, says, numbers)


def like_nulls(arm: str, nulls: Sequence[Nulls]) -> Finding:
    """Whether the steered arm is, to MARGIN, the mean of some kind of null vector."""
    rule = "like null vectors"
    if not nulls:
        return nothing(rule, "no null vectors", arm)
    nearest = min(nulls, key=lambda null: null.excess.within)
    gap = nearest.excess
    holds = _either(_negligible(gap), all(_apart(null.excess) for null in nulls))
    says = f"{points(gap.value, gap.low, gap.high)} above their mean; {seeds(nearest)}"
    numbers = {"value": gap.value, "low": gap.low, "high": gap.high, "within": gap.within}
    return Finding(rule, (arm, *nearest.arms), holds, says, numbers)


def beyond_others(effect: Effect) -> Finding:
    """Whether no other direction (negated, within class, stratified) brings back half of the gain.

    Kinds with seeds enough must pass the permutation test too. Without such arms it holds: whether
    they had to be there is asked elsewhere (``verdict``).
    """
    kinds = [null for null in effect.nulls if null.role is not Role.RANDOM]
    tested = [null for null in kinds if len(null.arms) >= nulls_needed(1)]
    found = [*((str(null.role), null.share) for null in kinds), *_named(effect, Role.NEGATED)]
    less = [_at_least_half(share) for _, share in found]
    beaten = all(null.p_holm <= ALPHA for null in tested)
    excluded = True in less or any(null.p > ALPHA for null in tested)
    says = [f"{seeds(null)}, permutation p {null.p:.3f}" for null in kinds]
    says = says if found else ["no such arms"]
    holds = _either(beaten and all(one is False for one in less), excluded)
    return of_shares("beyond other directions", found, holds, *says)


def tokens_explain(effect: Effect) -> Finding:
    """Whether forcing a token, or a constant bias of some size, brings back half of the gain."""
    return _explain("tokens explain the gain", effect, *TOKENS)


def empty_traces_explain(effect: Effect) -> Finding:
    """Whether traces without the content, or none at all, leave half of the gain."""
    return _explain("traces without the content do as well", effect, *CONTENT)


def other_targets_explain(effect: Effect) -> Finding:
    """Whether a vector trained the same way on the traces of other items brings half of it."""
    return _explain("training on other items' traces does as well", effect, Role.SWAPPED_TARGET)


def teaching_explains(effect: Effect) -> Finding:
    """Whether the same training gives half of it to a model that never saw a trace."""
    return _explain("a model that never saw a trace learns it too", effect, Role.UNTAUGHT)


def right_steps(effect: Effect) -> Finding:
    """Whether more than half of the gain comes with right steps.

    Whole valid traces are shown beside it and are not asked for: a trace that stops a step early is
    not valid, and may hold all the reasoning but the last of it.
    """
    rule, share = "the gain comes with right steps", effect.steps
    if share is None or effect.valid is None:
        return nothing(rule, "the task checks no traces", effect.arm)
    low, high = share.low, share.high
    holds = None if low is None or high is None else _either(low > HALF, high < HALF)
    both = of_shares(rule, [("right steps", share), ("valid traces", effect.valid)], holds)
    return replace(both, arms=(effect.arm,))


def traces_appear(effect: Effect) -> Finding:
    """Whether traces are begun oftener than in the baseline, by more than MARGIN."""
    rule, begun = "traces appear", effect.begun
    if begun is None:
        return nothing(rule, "nothing tells where a trace begins", effect.arm)
    return of_difference(rule, effect.arm, begun, _either(begun.low > MARGIN, begun.high <= MARGIN))


def _explain(rule: str, effect: Effect, *roles: Role) -> Finding:
    """Holds when some arm of these roles brings back half of the gain, fails when none does."""
    found = _named(effect, *roles)
    if not found:
        return nothing(rule, f"no arms: {', '.join(roles)}")
    halves = [_at_least_half(share) for _, share in found]
    return of_shares(rule, found, _either(True in halves, all(half is False for half in halves)))


def _named(effect: Effect, *roles: Role) -> list[tuple[str, Share]]:
    return named([one for one in effect.controls if one.role in roles])


def _at_least_half(share: Share) -> bool | None:
    if share.low is None or share.high is None:
        return None
    return _either(share.low >= HALF, share.high < HALF)


def _either(holds: bool, excluded: bool) -> bool | None:
    return True if holds else False if excluded else None


def _negligible(gap: Difference) -> bool:
    return gap.within <= MARGIN


def _apart(gap: Difference) -> bool:
    return gap.low > MARGIN or gap.high < -MARGIN
