"""What an evaluation shows of a steered arm: pre-registered rules, and what follows from them.

docs/verdict.md has the rules in plain words, with the arms each one looks at.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from steer.measure import rules
from steer.measure.arms import ArmSummary
from steer.measure.effect import CONTENT, TOKENS, TRAINING, Effect
from steer.measure.finding import Finding
from steer.measure.nulls import Nulls
from steer.measure.paired import Difference
from steer.measure.records import Role
from steer.measure.summary import Summary
from steer.measure.thresholds import MARGIN, TOO_CLOSE


class Outcome(StrEnum):
    """What is concluded."""

    REASONING = "reasoning elicited"
    MODE = "mode switch / token preference"
    FORM = "form only"
    NO_EFFECT = "no effect"
    HARM = "harm"
    INCONCLUSIVE = "inconclusive"

    @property
    def positive(self) -> bool:
        """Whether it says that the vector does something for the answers."""
        return self in (Outcome.REASONING, Outcome.MODE)


# Every claim of elicited reasoning needs these, or a reason why the task has no such thing.
REQUIRED = (Role.RANDOM, Role.NEGATED, *TOKENS, *CONTENT)


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one steered arm.

    ``because``: the findings that decided it, or that are in the way of a conclusion, in words.
    ``findings``: of every rule. ``missing``: what a claim of elicited reasoning needs and is not
    there. ``cautions``: at what cost, and what it does not say.
    """

    arm: str
    outcome: Outcome
    because: tuple[str, ...]
    findings: tuple[Finding, ...]
    missing: tuple[Role, ...]
    cautions: tuple[str, ...]


# What a rule has to have found: it holds, it fails, it can not tell, or one of the last two.
_YES, _NO, _UNKNOWN, _NOT_SURE = (True,), (False,), (None,), (False, None)
# The first line whose rules found this decides.
_DECISIONS: tuple[tuple[Outcome, Mapping[str, tuple[bool | None, ...]]], ...] = (
    (Outcome.HARM, {"falls": _YES}),
    (Outcome.HARM, {"forgets": _YES, "outweighs": _NOT_SURE}),
    (Outcome.FORM, {"stays": _YES, "traces_appear": _YES}),
    (Outcome.FORM, {"like_nulls": _YES, "traces_appear": _YES}),
    (Outcome.NO_EFFECT, {"stays": _YES}),
    (Outcome.NO_EFFECT, {"like_nulls": _YES}),
    (Outcome.INCONCLUSIVE, {"rises": _NOT_SURE}),
    (Outcome.INCONCLUSIVE, {"beyond_random": _NOT_SURE}),
    (Outcome.MODE, {"tokens_explain": _YES}),
    (Outcome.FORM, {"empty_traces_explain": _YES, "traces_appear": _YES}),
    (Outcome.FORM, {"other_targets_explain": _YES, "traces_appear": _YES}),
    (
        Outcome.FORM,
        {"right_steps": _NO, "empty_traces_explain": _UNKNOWN, "traces_appear": _YES},
    ),
)
# What elicited reasoning takes besides having come so far.
_REASONING: Mapping[str, bool] = {
    "beyond_others": True,
    "tokens_explain": False,
    "empty_traces_explain": False,
    "right_steps": True,
    "other_targets_explain": False,
    "teaching_explains": False,
}
# These two controls need a training of their own: without their arms they ask nothing.
_OPTIONAL = ("other_targets_explain", "teaching_explains")


def verdicts(
    summary: Summary,
    omitted: Mapping[Role, str] | None = None,
    needed: Set[Role] = frozenset(),
) -> tuple[Verdict, ...]:
    """A verdict on each steered arm that can be compared with the baseline.

    ``omitted``: controls the task or the vector has no such thing for, and why; of each group of
    them (tokens, traces) one at least must be there, and random vectors always, and those of
    ``needed``.
    """
    waived = (omitted or {}).keys() - needed - {Role.RANDOM}
    return tuple(_verdict(summary, effect, omitted or {}, waived) for effect in summary.effects)


def withheld(verdict: Verdict, why: str) -> Verdict:
    """The same findings without a conclusion.

    Whoever may stop a run when its verdict suits them finds something in nothing more often than
    the rules allow for, so that there is none before the end.
    """
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, because=(why,))


def _verdict(
    summary: Summary, effect: Effect, omitted: Mapping[Role, str], waived: Set[Role]
) -> Verdict:
    arm = summary.arm(effect.arm)
    gain = arm.against_baseline
    assert gain is not None  # there is an effect of it
    found = _findings(effect, gain, arm.retention_against_baseline)
    missing = _missing(effect, waived)
    outcome, because = _decide(found, missing, effect)
    cautions = _cautions(arm, effect, found, omitted, outcome)
    return Verdict(effect.arm, outcome, because, tuple(found.values()), missing, tuple(cautions))


def _findings(effect: Effect, gain: Difference, kept: Difference | None) -> dict[str, Finding]:
    """Of every rule, by its name in this module."""
    arm = effect.arm
    fair = [null for null in effect.nulls if not _too_close(null)]
    return {
        "rises": rules.rises(arm, gain),
        "falls": rules.falls(arm, gain),
        "stays": rules.stays(arm, gain),
        "forgets": rules.forgets(arm, kept),
        "outweighs": rules.outweighs(arm, gain, kept),
        "beyond_random": rules.beyond_random(arm, effect.null(Role.RANDOM)),
        "like_nulls": rules.like_nulls(arm, fair),
        "beyond_others": rules.beyond_others(effect),
        "tokens_explain": rules.tokens_explain(effect),
        "traces_appear": rules.traces_appear(effect),
        "right_steps": rules.right_steps(effect),
        "empty_traces_explain": rules.empty_traces_explain(effect),
        "other_targets_explain": rules.other_targets_explain(effect),
        "teaching_explains": rules.teaching_explains(effect),
    }


def _missing(effect: Effect, waived: Set[Role]) -> tuple[Role, ...]:
    there = {one.role for one in effect.controls} | {one.role for one in effect.nulls}
    return tuple(role for role in REQUIRED if role not in there | waived)


def _decide(
    found: Mapping[str, Finding], missing: Sequence[Role], effect: Effect
) -> tuple[Outcome, tuple[str, ...]]:
    for outcome, wanted in _DECISIONS:
        if all(found[rule].holds in values for rule, values in wanted.items()):
            because = [_said(found[rule]) for rule in wanted]
            if outcome is Outcome.INCONCLUSIVE and effect.power:
                because.append(str(effect.power))
            return outcome, tuple(because)
    open_ = [
        _said(found[rule])
        for rule, wanted in _REASONING.items()
        if found[rule].holds is not wanted and not (rule in _OPTIONAL and not found[rule].arms)
    ]
    if missing:
        open_.append(f"missing arms: {', '.join(missing)}")
    if open_:
        return Outcome.INCONCLUSIVE, tuple(open_)
    shown = ("rises", "beyond_random", *(rule for rule in _REASONING if found[rule].arms))
    return Outcome.REASONING, tuple(_said(found[rule]) for rule in shown)


def _said(finding: Finding) -> str:
    holds = {True: "yes", False: "no", None: "not known"}[finding.holds]
    return f"{finding.rule}: {holds} ({finding.says})"


def _cautions(
    arm: ArmSummary,
    effect: Effect,
    found: Mapping[str, Finding],
    omitted: Mapping[Role, str],
    outcome: Outcome,
) -> Iterator[str]:
    kept = arm.retention_against_baseline
    if found["forgets"].holds and outcome is not Outcome.HARM:
        yield f"at a cost: retention {found['forgets'].says}"
    elif kept and found["forgets"].holds is None and kept.value < -MARGIN:
        yield f"perhaps at a cost: retention {found['forgets'].says}"
    if arm.retention is None:
        yield "no retention items: nothing says what was lost"
    gain = arm.against_baseline
    if found["stays"].holds and gain and not gain.low <= 0 <= gain.high:
        yield f"a difference is there, but too small for a verdict: {found['stays'].says}"
    for null in filter(_too_close, effect.nulls):
        cosine = f"{null.most_cosine:.2f}"
        yield f"{null.role} vectors come as near as cosine {cosine} to the vector: no fair null"
    if outcome is Outcome.REASONING and not any(one.role in TRAINING for one in effect.controls):
        yield (
            "no arm tells eliciting from teaching: "
            f"{' and '.join(TRAINING)} need a training of their own"
        )
    for role, why in omitted.items():
        yield f"without {role}: {why}"


def _too_close(null: Nulls) -> bool:
    return null.most_cosine is not None and null.most_cosine > TOO_CLOSE
