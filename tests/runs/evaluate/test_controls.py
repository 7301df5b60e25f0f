"""Which controls an evaluation gets, what they are made of, and why some are not there."""

from dataclasses import replace

import numpy as np
import pytest

from steer.measure.records import Role
from steer.runs.evaluate.cast import cast_of
from steer.runs.evaluate.making import SWAPPED, TARGETS
from steer.specs import Controls
from steer.store import Card, ClassStatistics, Store, Vector
from steer.tasks.catalog import load_task
from steer.types import (
    Add,
    Arm,
    Intervention,
    OrthogonalTo,
    Project,
    Prompt,
    Site,
    Stored,
    Strength,
)
from tests.runs.evaluate.conftest import SPEC, context_of

A1 = load_task("a1")


def roles(cast):
    return {entry.about.role for entry in cast.entries}


def one(cast, role):
    return next(entry for entry in cast.entries if entry.about.role is role)


def test_the_standard_controls_of_a_vector(a1):
    cast = cast_of(SPEC, A1, a1)
    assert len(cast.chosen({Role.RANDOM})) == 20
    assert [entry.about.value for entry in cast.chosen({Role.DOSE})] == [0.5]
    assert [entry.about.value for entry in cast.chosen({Role.TRUNCATED})] == [0, 0.25, 0.5, 0.75]
    assert {*roles(cast), *cast.omitted} >= {
        *(Role.STEERED, Role.CEILING, Role.NEGATED, Role.FORCED, Role.BIAS, Role.FILLER),
        *(Role.SWAPPED, Role.CORRUPTED, Role.ANSWER_ONLY, Role.WITHIN_CLASS),
    }
    assert set(cast.omitted) == {Role.WITHIN_CLASS, Role.STRATIFIED, Role.ORTHOGONAL}
    assert all(entry.about.of in ("", "steered") for entry in cast.entries)


def test_every_null_says_how_near_it_is_to_the_vector(a1):
    cast = cast_of(SPEC, A1, a1)
    for entry in cast.chosen({Role.RANDOM, Role.NEGATED}):
        assert entry.cosines.keys() == {"resid_post.2"}
        assert entry.about.cosine == entry.cosines["resid_post.2"]
    assert one(cast, Role.NEGATED).about.cosine == pytest.approx(-1)
    # Of 64 dimensions: standard deviation 1/8.
    sizes = [abs(entry.about.cosine) for entry in cast.chosen({Role.RANDOM})]
    assert 0 < min(sizes) and max(sizes) < 0.55


def test_doses_and_negatives_are_of_the_strength_the_card_decides(a1):
    half = Arm("steered", (Intervention(Add(Stored("a1-rloo")), strength=Strength(0.5)),))
    for arm, strength in ((SPEC.arms[0], 1.0), (half, 0.5)):
        cast = cast_of(replace(SPEC, arms=(arm,), strengths=(3.0,)), A1, a1)
        assert one(cast, Role.DOSE).arm.interventions[0].strength == Strength(3 * strength)
        assert one(cast, Role.NEGATED).arm.interventions[0].strength == Strength(-strength)


def test_an_arm_without_a_component_is_known_for_what_it_is(a1):
    rest = OrthogonalTo(Stored("a1-rloo"), Stored("a1-dom"))
    arm = Arm("rest", (Intervention(Add(rest)),))
    cast = cast_of(replace(SPEC, arms=(*SPEC.arms, arm)), A1, a1)
    about = one(cast, Role.ORTHOGONAL).about
    assert about.name == "rest" and about.of == "steered"
    assert 0 < about.cosine < 1
    assert Role.ORTHOGONAL not in cast.omitted


def test_the_subject_is_tried_without_the_direction_of_each_other_arm(a1):
    other = Arm("other", (Intervention(Add(Stored("a1-dom"))),))
    twin = Arm("twin", SPEC.arms[0].interventions)
    cast = cast_of(replace(SPEC, arms=(*SPEC.arms, other, twin)), A1, a1)
    (entry,) = cast.chosen({Role.ORTHOGONAL})
    rest = OrthogonalTo(Stored("a1-rloo"), Stored("a1-dom"))
    assert entry.name == "without-other" and entry.arm.interventions[0].op == Add(rest)
    assert 0 < entry.about.cosine < 1 and entry.about.of == "steered"


def test_the_ceiling_can_be_an_arm_of_ones_own(a1):
    tuned = Arm("tuned", (Intervention(Add(Stored("a1-dom"))),))
    cast = cast_of(replace(SPEC, arms=(*SPEC.arms, tuned), ceiling="tuned"), A1, a1)
    assert one(cast, Role.CEILING).name == "tuned"
    assert one(cast, Role.PROMPT_CUE).name == "cue"


def test_what_has_no_meaning_is_left_out_and_says_why(a1):
    ablating = Arm("steered", (Intervention(Project(Stored("a1-rloo"))),))
    cast = cast_of(replace(SPEC, arms=(ablating,)), A1, a1)
    assert "negative" in cast.omitted[Role.NEGATED]
    prompted = Arm("steered", prompt=A1.cued(A1.items("report", 1)[0]))
    cast = cast_of(replace(SPEC, arms=(prompted,)), A1, a1)
    assert "no interventions" in cast.omitted[Role.RANDOM]
    assert Role.FORCED in roles(cast)
    facts = load_task("facts")
    cast = cast_of(replace(SPEC, task="facts", n=4, strengths=()), facts, a1)
    assert "traces" in cast.omitted[Role.SWAPPED]
    assert cast.omitted.keys() >= {Role.BIAS, Role.FORCED, Role.ANSWER_ONLY, Role.TRUNCATED}
    assert not cast.needed


def test_a_prefix_of_the_subjects_own_excuses_from_no_control(a1):
    prefixed = replace(SPEC.arms[0], forced_prefix=Prompt("THINK"))
    cast = cast_of(replace(SPEC, arms=(prefixed,)), A1, a1)
    assert cast.needed == {Role.SWAPPED, Role.CORRUPTED, Role.FILLER, Role.TRUNCATED}
    assert "prefix of its own" in cast.omitted[Role.SWAPPED]


def test_directions_from_within_the_classes_where_the_vector_has_their_spread(a1):
    model, site = a1.model, Site(2)
    axes = np.eye(3, model.d_model, dtype=np.float32)
    card = Card(model.id, model.fingerprint, model.d_model, (site,), "difference_of_means")
    store = Store("memory://within")
    within = ClassStatistics(axes, axes[:2])
    direction = np.ones(model.d_model, np.float32)
    store.put(Vector("spread", {site: direction}, card, classes={site: within}))
    context = context_of(store)
    try:
        arm = Arm("steered", (Intervention(Add(Stored("spread"))),))
        cast = cast_of(replace(SPEC, arms=(arm,), strengths=()), A1, context)
    finally:
        context.engine.close()
    assert len(cast.chosen({Role.WITHIN_CLASS})) == 20
    shuffles = cast.chosen({Role.STRATIFIED})
    assert [e.name for e in shuffles] == ["stratified-0", "stratified-1"]  # as many as are stored
    assert all(e.about.cosine == pytest.approx((1 / 64) ** 0.5) for e in shuffles)
    # Three axes of the 64: the cosine of their best mixture with all ones.
    assert max(abs(e.about.cosine) for e in cast.chosen({Role.WITHIN_CLASS})) <= (3 / 64) ** 0.5


def test_a_bundled_difference_of_means_has_nulls_from_within_its_classes(a1):
    arm = Arm("steered", (Intervention(Add(Stored("a1-dom"))),))
    cast = cast_of(replace(SPEC, arms=(arm,), strengths=()), A1, a1)
    for role in (Role.WITHIN_CLASS, Role.STRATIFIED):
        assert len(cast.chosen({role})) == 20
    assert set(cast.omitted) == {Role.ORTHOGONAL}


def test_without_controls_there_are_the_callers_arms_alone(a1):
    cast = cast_of(replace(SPEC, controls=Controls.NONE, strengths=()), A1, a1)
    assert [entry.name for entry in cast.entries] == ["steered"]


def test_a_vector_trained_on_other_items_traces_controls_the_subject(a1):
    model, site = a1.model, Site(2)
    card = Card(
        *(model.id, model.fingerprint, model.d_model, (site,), "ce"),
        parameters={TARGETS: SWAPPED},
    )
    store = Store("memory://swapped")
    direction = np.ones(model.d_model, np.float32)
    store.put(Vector("taught", {site: direction}, replace(card, parameters={})))
    store.put(Vector("misled", {site: direction}, card))
    store.put(Vector("a1-rloo", {site: direction}, replace(card, parameters={})))
    context = context_of(store)
    try:
        arms = [Arm(name, (Intervention(Add(Stored(name))),)) for name in ("taught", "misled")]
        cast = cast_of(replace(SPEC, arms=tuple(arms), strengths=()), A1, context)
        assert one(cast, Role.SWAPPED_TARGET).about.of == "taught"
        told = replace(SPEC, arms=(arms[0], replace(SPEC.arms[0], name="other")), strengths=())
        asked = cast_of(replace(told, swapped_target="other"), A1, context)
        assert one(asked, Role.SWAPPED_TARGET).name == "other"
        alone = cast_of(replace(SPEC, arms=tuple(arms[1:]), strengths=()), A1, context)
    finally:
        context.engine.close()
    assert one(alone, Role.STEERED).name == "misled"
