"""Everything an evaluation says about its arms, from its records alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from steer.measure.arms import ArmSummary, arm_summaries
from steer.measure.bootstrap import DRAWS
from steer.measure.checks import check
from steer.measure.effect import Effect, effect
from steer.measure.gain import ArmGain, GainRecord, arm_gains
from steer.measure.paired import Difference
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.statistics import holm
from steer.measure.study import Study
from steer.measure.table import table
from steer.measure.thresholds import ALPHA, MARGIN

# One family for each question. The tests the verdict is about, of accuracy and retention of the
# steered arms, are not made harder by the number of controls.
FAMILIES: Mapping[str, Sequence[Role]] = {
    "treatments": (Role.STEERED,),
    "doses": (Role.DOSE,),
    "nulls": (Role.RANDOM, Role.WITHIN_CLASS, Role.STRATIFIED, Role.NEGATED, Role.ORTHOGONAL),
    "substitutes": (Role.FORCED, Role.BIAS, Role.PROMPT_CUE, Role.FILLER, Role.CEILING),
    "traces": (Role.SWAPPED, Role.CORRUPTED, Role.TRUNCATED, Role.ANSWER_ONLY),
    "training": (Role.SWAPPED_TARGET, Role.UNTAUGHT),
    "decoding": (Role.BRANCHED,),
    "revision": (Role.REVISED,),
}


@dataclass(frozen=True, slots=True)
class Summary:
    """All arms with records, in the order given, and an effect for each steered one.

    ``clusters``: of the ``items``. ``families``: arms whose p values were corrected together.
    ``empty``: arms without records yet. ``warnings``: what the sample is too small for, and what is
    undefined, in words.
    """

    items: int
    retention_items: int
    clusters: int
    arms: tuple[ArmSummary, ...]
    effects: tuple[Effect, ...]
    families: Mapping[str, tuple[str, ...]]
    gains: tuple[ArmGain, ...]
    empty: tuple[str, ...]
    warnings: tuple[str, ...]

    def arm(self, name: str) -> ArmSummary:
        """One arm by name. Raises KeyError if it has no records."""
        return {one.arm.name: one for one in self.arms}[name]


def summarise(
    records: Sequence[Record],
    arms: Sequence[MeasuredArm],
    *,
    choices: int | None = None,
    gains: Sequence[GainRecord] = (),
    families: Mapping[str, Sequence[Role]] = FAMILIES,
    seed: int = 0,
    draws: int = DRAWS,
) -> Summary:
    """Everything about ``arms``, of which one is the baseline, from all ``records`` there are.

    ``choices``: how many answers there are to guess among, None when nobody knows. ``families``:
    roles whose tests against the baseline, of accuracy and of retention, are corrected together
    (Holm); roles in none stand alone. ``seed`` and ``draws`` are the bootstrap's. The same records,
    in any order, give the same summary. Raises InvalidRequest for arms or records that do not fit
    together.
    """
    check(records, arms)
    study = _study(records, arms, choices, seed, draws)
    members = {
        family: tuple(arm.name for arm in study.arms if arm.role in roles)
        for family, roles in families.items()
    }
    summaries = _corrected(arm_summaries(study), members)
    effects = _corrected_nulls(
        [
            effect(study, one.arm, one.against_baseline)
            for one in summaries
            if one.arm.role is Role.STEERED and one.against_baseline
        ]
    )
    names = {one.arm.name for one in summaries}
    return Summary(
        items=len(study.problems.items),
        retention_items=len(study.retention.items),
        clusters=len(set(study.problems.clusters.tolist())),
        arms=summaries,
        effects=effects,
        families={family: of for family, of in members.items() if of},
        gains=arm_gains(gains),
        empty=tuple(arm.name for arm in arms if arm.name not in names),
        warnings=tuple(_warnings(summaries, effects)),
    )


def _study(
    records: Sequence[Record],
    arms: Sequence[MeasuredArm],
    choices: int | None,
    seed: int,
    draws: int,
) -> Study:
    """In an order of its own, so that the order of arrival changes nothing."""
    ordered = sorted(records, key=lambda record: (record.item, record.arm, record.sample))
    problems = table(record for record in ordered if not record.retention)
    retention = table(record for record in ordered if record.retention)
    measured = tuple(arm for arm in arms if arm.name in problems.records)
    return Study(measured, problems, retention, choices, seed, draws)


def _corrected(
    arms: Sequence[ArmSummary], families: Mapping[str, tuple[str, ...]]
) -> tuple[ArmSummary, ...]:
    """The arms with ``p_holm`` over their family."""
    tests: dict[tuple[str, bool], Difference] = {}
    for one in arms:
        for kept, of in enumerate((one.against_baseline, one.retention_against_baseline)):
            if of is not None:
                tests[one.arm.name, bool(kept)] = of
    for members in families.values():
        keys = [key for key in tests if key[0] in members]
        for key, p in zip(keys, holm([tests[key].p for key in keys]), strict=True):
            tests[key] = replace(tests[key], p_holm=p)
    return tuple(
        replace(
            one,
            against_baseline=tests.get((one.arm.name, False)),
            retention_against_baseline=tests.get((one.arm.name, True)),
        )
        for one in arms
    )


def _corrected_nulls(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    """The effects with ``p_holm`` of each kind of null over the steered arms."""
    by_role: dict[Role, list[tuple[str, float]]] = defaultdict(list)
    for one in effects:
        for null in one.nulls:
            by_role[null.role].append((one.arm, null.p))
    corrected = {
        (arm, role): p
        for role, tests in by_role.items()
        for (arm, _), p in zip(tests, holm([p for _, p in tests]), strict=True)
    }
    return tuple(
        replace(
            one,
            nulls=tuple(replace(null, p_holm=corrected[one.arm, null.role]) for null in one.nulls),
        )
        for one in effects
    )


def _silent(arms: Sequence[ArmSummary]) -> Iterator[str]:
    """Arms without a single answer: what is wrong there is hardly the answers."""
    silent = [one.arm for one in arms if not one.answered]
    if arms and len(silent) == len(arms):
        yield "no completion of any arm has an answer: the extractor of the task never matches"
        return
    for arm in silent:
        if arm.role in (Role.BASELINE, Role.STEERED):
            yield f"{arm.name}: no completion has an answer that could be read"


def _warnings(arms: Sequence[ArmSummary], effects: Sequence[Effect]) -> Iterator[str]:
    yield from _silent(arms)
    gains = {one.arm.name: one.against_baseline for one in arms}
    for one in effects:
        gain = gains[one.arm]
        told = gain and (gain.p_holm <= ALPHA or gain.within <= MARGIN)
        if not told and one.power and not one.power.enough:
            yield f"{one.arm}: the sample is too small: {one.power}"
    undefined = {one.recovery.undefined for one in arms if one.recovery} - {""}
    for why in sorted(undefined):
        yield f"gap recovery is undefined: {why}"
    if arms and not any(one.retention for one in arms):
        yield "there are no retention items: nothing says what was lost"
