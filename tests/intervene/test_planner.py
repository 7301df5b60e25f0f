"""From a trial to a plan: defaults, absolute strengths, and what is refused, field by field."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound, SteerError
from steer.intervene.layouts import LAYOUTS
from steer.store import content_hash
from steer.types import (
    Add,
    Arm,
    CaptureTrial,
    Direction,
    Feature,
    FeatureEdit,
    FeatureMode,
    FeatureReadout,
    Gate,
    Inline,
    Intervention,
    LowRank,
    Marker,
    Phase,
    Point,
    Project,
    Prompt,
    Replace,
    Rotate,
    Sampling,
    ScoreTrial,
    Site,
    Stored,
    StoredRecipe,
    Strength,
    Trial,
    Unit,
    Where,
)
from tests.engine.cases import of
from tests.engine.items import D_SAE
from tests.engine.plans import prompt, vector
from tests.planning import DEFAULTS, SITES, Bench, bench

BAD, UNFIT, LOST = InvalidRequest, FailedPrecondition, NotFound
IDS = prompt(1, 9)
SITE = Site(1)
V = Stored("v")
RELATIVE = Strength(0.5, Unit.RELATIVE)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with bench(tmp_path_factory.mktemp("store")) as made:
        yield made


def feature(name: str, *indices: int) -> Feature:
    return Feature(name, tuple(FeatureEdit(index, 1.0) for index in indices))


def inline(*arrays: np.ndarray, site: Site | None = None) -> Inline:
    return Inline(tuple(Direction(array.astype("<f4").tobytes(), site) for array in arrays))


def gated(gate: Gate) -> Intervention:
    return Intervention(Add(V), (SITE,), gate=gate)


def marked(marker: Marker) -> Intervention:
    return Intervention(Add(V), where=Where(markers=(marker,)))


REFUSED = {
    "a latent beyond the last": (
        Intervention(feature("topk", 3, D_SAE)),
        {".feature.edits[1].index": "FEATURE_OUT_OF_RANGE"},
        BAD,
    ),
    "latents that are all beyond": (
        Intervention(feature("gated", 10**6, 2, D_SAE)),
        {
            ".feature.edits[0].index": "FEATURE_OUT_OF_RANGE",
            ".feature.edits[2].index": "FEATURE_OUT_OF_RANGE",
        },
        BAD,
    ),
    "a dictionary of another width": (
        Intervention(feature("narrow", 0)),
        {".feature.dictionary": "WIDTH_MISMATCH"},
        UNFIT,
    ),
    "a dictionary of another site": (
        Intervention(feature("topk", 0), (Site(2),)),
        {".sites[0]": "SITE_MISMATCH"},
        UNFIT,
    ),
    "a transcoder": (
        Intervention(feature("coder", 0)),
        {".feature.dictionary": "WRONG_KIND"},
        UNFIT,
    ),
    "a direction as dictionary": (
        Intervention(feature("v", 0)),
        {".feature.dictionary": "WRONG_KIND"},
        UNFIT,
    ),
    "a low rank as direction": (
        Intervention(Add(Stored("lr"))),
        {".add.operand.vector": "WRONG_KIND"},
        UNFIT,
    ),
    "a direction as low rank": (
        Intervention(LowRank("v")),
        {".low_rank.vector": "WRONG_KIND"},
        UNFIT,
    ),
    "a low rank elsewhere": (
        Intervention(LowRank("lr"), (Site(2),)),
        {".sites[0]": "SITE_MISSING"},
        BAD,
    ),
    "what nobody stored": (
        Intervention(Project(Stored("nothing"))),
        {".project.operand.vector": "VECTOR_NOT_FOUND"},
        LOST,
    ),
    "what was made for another model": (
        Intervention(Rotate(Stored("foreign"), 20.0)),
        {".rotate.operand.vector": "MODEL_MISMATCH"},
        UNFIT,
    ),
    "a stored direction to replace with, of another kind": (
        Intervention(Replace(operand=Stored("probe"))),
        {".replace.operand.vector": "WRONG_KIND"},
        UNFIT,
    ),
    "a mismatched shape to replace with": (
        Intervention(Replace(operand=inline(vector(1), vector(2)[:7], site=None)), (SITE,)),
        {".replace.operand.inline.directions[1]": "WIDTH_MISMATCH"},
        UNFIT,
    ),
    "an inline direction without a site": (
        Intervention(Add(inline(vector(1)))),
        {".sites": "NO_SITE"},
        BAD,
    ),
    "a site twice": (Intervention(Add(V), (SITE, SITE)), {".sites": "DUPLICATE_SITE"}, BAD),
    "a layer too many": (
        Intervention(Add(V), (SITE, Site(3))),
        {".sites[1].layer": "LAYER_OUT_OF_RANGE"},
        BAD,
    ),
    "a layer too many, of what nobody stored": (
        Intervention(Add(Stored("nothing")), (SITE, Site(3))),
        {".add.operand.vector": "VECTOR_NOT_FOUND", ".sites[1].layer": "LAYER_OUT_OF_RANGE"},
        BAD,
    ),
    "a vector without that site": (
        Intervention(Add(V), (SITE, Site(0))),
        {".sites[1]": "SITE_MISSING"},
        BAD,
    ),
    "no such capture": (
        Intervention(Replace(capture_id="cap-1"), (SITE,)),
        {".replace.capture_id": "NO_SUCH_CAPTURE"},
        UNFIT,
    ),
    **{
        f"{op.name} relative to a norm it has not": (
            Intervention(op, sites, RELATIVE),
            {".strength.unit": f"NOT_FOR_{op.name.upper()}"},
            BAD,
        )
        for op, sites in [
            (Project(V), ()),
            (Rotate(V, 3.0), ()),
            (feature("topk", 1), ()),
            (LowRank("lr"), ()),
            (Replace(operand=V), ()),
            (Replace(source_arm="baseline"), (SITE,)),
        ]
    },
    "a gate behind its intervention": (
        gated(Gate(Site(2), 0.0, cosine=inline(vector(1)))),
        {".gate.site": "GATE_TOO_LATE"},
        BAD,
    ),
    "a gate later in the same block": (
        Intervention(
            Add(inline(vector(1))),
            (SITE, Site(1, Point.MLP_OUT)),
            gate=Gate(SITE, 0.0, cosine=V),
        ),
        {".gate.site": "GATE_TOO_LATE"},
        BAD,
    ),
    "a gate outside of the model": (
        gated(Gate(Site(9), 0.0, cosine=V)),
        {".gate.site.layer": "LAYER_OUT_OF_RANGE"},
        BAD,
    ),
    "a gate outside of the model, on what nobody stored": (
        gated(Gate(Site(9), 0.0, probe="nothing")),
        {".gate.site.layer": "LAYER_OUT_OF_RANGE", ".gate.probe": "VECTOR_NOT_FOUND"},
        BAD,
    ),
    "a gate with no direction there": (
        gated(Gate(Site(0), 0.0, cosine=V)),
        {".gate.cosine": "SITE_MISSING"},
        BAD,
    ),
    "a gate on what nobody stored": (
        gated(Gate(SITE, 0.0, cosine=Stored("nothing"))),
        {".gate.cosine.vector": "VECTOR_NOT_FOUND"},
        LOST,
    ),
    "a gate on no probe": (
        gated(Gate(SITE, 0.0, probe="v")),
        {".gate.probe": "WRONG_KIND"},
        UNFIT,
    ),
    "a gate on a probe of another site": (
        gated(Gate(Site(0), 0.0, probe="probe")),
        {".gate.probe": "SITE_MISMATCH"},
        UNFIT,
    ),
    "a gate on a dictionary of another site": (
        gated(Gate(Site(0), 0.0, dictionary="topk", feature=1)),
        {".gate.feature.dictionary": "SITE_MISMATCH"},
        UNFIT,
    ),
    "a gate on a latent beyond the last": (
        gated(Gate(SITE, 0.0, dictionary="topk", feature=D_SAE)),
        {".gate.feature.index": "FEATURE_OUT_OF_RANGE"},
        BAD,
    ),
    "a gate on a dictionary of another width": (
        gated(Gate(SITE, 0.0, dictionary="narrow", feature=1)),
        {".gate.feature.dictionary": "WIDTH_MISMATCH"},
        UNFIT,
    ),
    "an expression that is none": (
        marked(Marker(regex="(")),
        {".where.markers[0].regex": "INVALID_REGEX"},
        BAD,
    ),
    "an expression that can run away": (
        marked(Marker(regex=r"(a+)\1")),
        {".where.markers[0].regex": "INVALID_REGEX"},
        BAD,
    ),
    "an expression that matches nothing": (
        marked(Marker(regex="a*")),
        {".where.markers[0].regex": "MATCHES_EMPTY"},
        BAD,
    ),
    "tokens the model has not": (
        Intervention(Add(V), where=Where(token_ids=(3, 97), exclude_token_ids=(10**6,))),
        {
            ".where.token_ids": "UNKNOWN_TOKEN",
            ".where.exclude_token_ids": "UNKNOWN_TOKEN",
        },
        BAD,
    ),
}


def refusal(running: Bench, *arms: Arm) -> tuple[type[SteerError], dict[str, str]]:
    """How a trial is refused: as what, and the reasons by field."""
    return refused(lambda: running.plan(IDS, *arms))


def refused(plan: Callable[[], object]) -> tuple[type[SteerError], dict[str, str]]:
    """The same of anything that is planned."""
    with pytest.raises(SteerError) as caught:
        plan()
    for violation in caught.value.violations:
        assert str(violation) in caught.value.message and len(violation.message) > 10
    return type(caught.value), {each.field: each.reason for each in caught.value.violations}


@pytest.mark.parametrize("name", REFUSED)
def test_an_intervention_that_can_not_be_is_refused(running, name):
    item, reasons, kind = REFUSED[name]
    fine = Intervention(Add(V))
    for place, arm in enumerate((Arm("bad", (item,)), Arm("bad", (fine, item)))):
        found = refusal(running, Arm("fine", (fine,)), arm)
        at = f"trial.arms[1].interventions[{place}]"
        assert found == (kind, {at + field: reason for field, reason in reasons.items()})


def test_everything_wrong_is_said_at_once(running):
    """Each with its path; the worst decides the status."""
    arms, wanted = [], {}
    for number, (item, reasons, _) in enumerate(REFUSED.values()):
        arms.append(Arm(f"{number}", (item,)))
        at = f"trial.arms[{number}].interventions[0]"
        wanted |= {at + field: reason for field, reason in reasons.items()}
    assert refusal(running, *arms) == (BAD, wanted)
    only = [Arm("a", (REFUSED["a transcoder"][0],)), Arm("b", (REFUSED["what nobody stored"][0],))]
    kind, reasons = refusal(running, *only)
    assert kind is LOST and len(reasons) == 2


def test_nothing_is_run_for_a_trial_that_is_refused(running, monkeypatch):
    for name in ("norms", "readings", "activations"):
        monkeypatch.setattr(running.engine, name, None)
    relative = Intervention(Add(V), strength=RELATIVE)
    gate = gated(Gate(SITE, 0.0, cosine=V))
    patch = Intervention(Replace(source_arm="baseline"), (SITE,))
    bad = Intervention(feature("coder", 0))
    found = refusal(running, Arm("bad", (bad,)), Arm("a", (relative, gate, patch)))
    assert found == (UNFIT, {"trial.arms[0].interventions[0].feature.dictionary": "WRONG_KIND"})


def test_a_point_the_architecture_has_not_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(LAYOUTS, "llama", replace(LAYOUTS["llama"], mid=None))
    middle = Site(1, Point.RESID_MID)
    item = Intervention(Add(inline(vector(1))), (Site(1), middle))
    gate = Gate(middle, 0.0, cosine=inline(vector(1)))
    with bench(tmp_path) as made:
        found = refusal(made, Arm("s", (item, gated(gate))))
    at = "trial.arms[0].interventions"
    fields = {f"{at}[0].sites[1].point", f"{at}[1].gate.site.point"}
    assert found == (UNFIT, dict.fromkeys(fields, "NO_SUCH_POINT"))


# ---- recipes ------------------------------------------------------------------------------------


def test_recipes_come_first_and_are_held_to_the_same(running):
    good = Intervention(Add(V), (SITE,), Strength(2.0))
    bad = REFUSED["a gate on no probe"][0]
    running.book.recipes = {
        "good": StoredRecipe("good", (good, good)),
        "bad": StoredRecipe("bad", (good, bad)),
    }
    own = Intervention(Project(V), (SITE,))
    plan = running.plan(IDS, Arm("s", (own,), recipes=("good", "good")))
    assert [item.op for item in plan.arms[1].interventions] == ["add"] * 4 + ["project"]
    found = refusal(running, Arm("s", (bad,), recipes=("good", "bad", "nothing")))
    at = "trial.arms[0]"
    assert found == (
        LOST,
        {
            f"{at}.recipes[1].interventions[1].gate.probe": "WRONG_KIND",
            f"{at}.recipes[2]": "RECIPE_NOT_FOUND",
            f"{at}.interventions[0].gate.probe": "WRONG_KIND",
        },
    )


# ---- captures and scores ------------------------------------------------------------------------


def test_what_can_not_be_captured_is_refused(running):
    request = CaptureTrial(
        running.trial(IDS, Arm("s", (Intervention(feature("coder", 0)),))),
        sites=(SITE, Site(5), Site(1, Point.RESID_MID)),
        where=Where(token_ids=(97,), markers=(Marker(regex="["),)),
        features=(
            FeatureReadout("topk", 3, (0, D_SAE)),
            FeatureReadout("nothing", 3),
            FeatureReadout("narrow", 3),
            FeatureReadout("v", 3),
            FeatureReadout("coder", 3),
        ),
    )
    assert refused(lambda: running.planner.capture(request, "c")) == (
        BAD,
        {
            "trial.arms[0].interventions[0].feature.dictionary": "WRONG_KIND",
            "sites[1].layer": "LAYER_OUT_OF_RANGE",
            "where.token_ids": "UNKNOWN_TOKEN",
            "where.markers[0].regex": "INVALID_REGEX",
            "features[0].indices[1]": "FEATURE_OUT_OF_RANGE",
            "features[1].dictionary": "VECTOR_NOT_FOUND",
            "features[2].dictionary": "WIDTH_MISMATCH",
            "features[3].dictionary": "WRONG_KIND",
        },
    )


def test_a_transcoder_can_be_read_out(running):
    request = CaptureTrial(running.trial(IDS), features=(FeatureReadout("coder", 3, (5,)),))
    plan = running.planner.capture(request, "c")
    assert plan.capture is not None and not plan.measure
    (readout,) = plan.capture.features
    assert (readout.dictionary.name, readout.top_k, readout.indices) == ("coder", 3, (5,))


def test_scores_have_paths_of_their_own(running):
    bad = REFUSED["a transcoder"][0]
    arms = (
        Arm("a", (bad,)),
        Arm("b", (Intervention(Add(V)),), forced_prefix=Prompt(token_ids=(5,))),
    )
    trial = ScoreTrial(Prompt(token_ids=IDS), Prompt(token_ids=(4, 5)), arms)
    assert refused(lambda: running.planner.score(trial, "s")) == (
        BAD,
        {
            "arms[0].interventions[0].feature.dictionary": "WRONG_KIND",
            "arms[1].forced_prefix": "NOT_FOR_SCORE",
        },
    )


# ---- what is planned ----------------------------------------------------------------------------


def planned(running: Bench, item: Intervention, **settings: object):
    (made,) = running.plan(IDS, Arm("s", (item,)), **settings).arms[1].interventions
    return made


def test_what_is_not_said_is_as_the_card_says(running):
    made = planned(running, Intervention(Add(Stored("carded"))))
    assert made.where == DEFAULTS["where"]
    assert [edit.site for edit in made.edits] == list(SITES[1:])
    measured = running.engine.norms(IDS, SITES[2:])[SITES[2]]
    norms = [12.0, measured]  # the card's where it has one
    wanted = [0.25 * norm / 8.0 for norm in norms]
    assert [edit.coefficient for edit in made.edits] == pytest.approx(wanted, rel=1e-5)


def test_only_add_takes_its_strength_from_the_card(running):
    for op in (Project(Stored("carded")), Rotate(Stored("carded"), 30.0)):
        made = planned(running, Intervention(op))
        assert {edit.coefficient for edit in made.edits} <= {1.0, 30.0}
        assert made.where == DEFAULTS["where"]


def test_what_is_said_goes_before_the_card(running):
    where = Where(Phase.PROMPT)
    made = planned(running, Intervention(Add(Stored("carded")), SITES[1:2], Strength(3.0), where))
    assert made.where == where and made.before_last
    assert [(edit.site, edit.coefficient) for edit in made.edits] == [(SITES[1], 3.0)]


def test_the_card_of_another_model_says_nothing(running):
    item = Intervention(Add(Stored("foreign")))
    made = planned(running, item, allow_model_mismatch=True)
    assert [(edit.site, edit.coefficient) for edit in made.edits] == [(SITE, 1.0)]
    assert made.where == Where()


def test_relative_strengths_are_shares_of_the_norm(running):
    array = vector(3, norm=5.0)
    item = Intervention(Add(inline(array)), (Site(0), Site(2)), RELATIVE)
    norms = running.engine.norms(IDS, (Site(0), Site(2)))
    for edit in planned(running, item).edits:
        assert edit.coefficient == pytest.approx(0.5 * norms[edit.site] / 5.0, rel=1e-5)


@pytest.mark.parametrize(
    ("op", "strength"),
    [(Rotate(V, 170.0), Strength(3e38)), (Add(inline(vector(1) * 1e-40)), RELATIVE)],
)
def test_what_comes_to_more_than_float32_holds_is_refused(running, op, strength):
    found = refusal(running, Arm("a", (Intervention(op, (SITE,), strength),)))
    assert found == (UNFIT, {"trial.arms[0].interventions[0].strength": "TOO_LARGE"})


def test_everything_applied_has_the_hash_of_its_content(running):
    store = running.planner.store
    hashes = {
        Add(V): content_hash({SITE: store.get("v").tensors[SITE]}),
        feature("topk", 1): store.get("topk").content_hash,
        LowRank("lr"): store.get("lr").content_hash,
    }
    for op, wanted in hashes.items():
        assert planned(running, Intervention(op, (SITE,))).content_hash == wanted
    one, other = (Add(inline(vector(seed))) for seed in (1, 2))
    found = {planned(running, Intervention(op, (SITE,))).content_hash for op in (one, other)}
    assert len(found) == 2 and all(each.startswith("sha256:") for each in found)


def test_operands_are_described(running):
    described = {
        "v": Add(V),
        "inline": Project(inline(vector(1))),
        "topk[3 set 1, 4 scale 2]": Feature(
            "topk", (FeatureEdit(3, 1.0), FeatureEdit(4, 2.0, FeatureMode.SCALE))
        ),
        "lr": LowRank("lr"),
        "arm baseline": Replace(source_arm="baseline"),
    }
    for wanted, op in described.items():
        assert planned(running, Intervention(op, (SITE,))).operand == wanted


def test_a_noise_floor_is_the_first_steered_arm_at_zero(running):
    items = tuple(
        Intervention(op, (SITE,))
        for op in (Add(V), feature("topk", 1, 2), LowRank("lr"), Rotate(V, 9.0), Replace(operand=V))
    )
    plan = running.plan(IDS, Arm("plain"), Arm("s", items), noise_floor=True)
    floor = plan.arms[-1]
    assert [item.op for item in floor.interventions] == [item.op.name for item in items]
    for item in floor.interventions:
        assert {one.params[0] for edit in item.edits for one in edit.components} == {0.0}
    events = running.events(plan)
    for mine, other in zip(of(events, floor.name), of(events, "baseline"), strict=True):
        assert (mine.token_ids, mine.logprobs) == (other.token_ids, other.logprobs)


def test_a_trial_needs_something_to_run(running):
    empty = Trial(Prompt(token_ids=IDS), baseline=False, sampling=Sampling(max_tokens=2))
    assert refused(lambda: running.planner.trial(empty, "t")) == (BAD, {"trial.arms": "NO_ARMS"})
    floor = Trial(Prompt(token_ids=IDS), noise_floor=True, sampling=Sampling(max_tokens=2))
    found = refused(lambda: running.planner.trial(floor, "t"))
    assert found == (BAD, {"trial.noise_floor": "NO_INTERVENTION"})
