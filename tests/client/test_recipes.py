"""Recipes say what they mean, compose, and refuse nonsense at once."""

import array
import math
import struct

import numpy as np
import pytest

import steer
from steer import types as t
from steer.client.arms import as_arm


def only(recipe):
    (intervention,) = recipe.interventions
    return intervention


def test_a_name_alone_leaves_everything_to_the_card():
    assert only(steer.add("x")) == t.Intervention(t.Add(t.Stored("x")))


def test_options():
    made = only(steer.add("x", strength=0.5, relative=True, layers=[1, 2], point="resid_mid",
                          where="decode", keep_norm=True, must_fire=True))  # fmt: skip
    assert made.strength == t.Strength(0.5, t.Unit.RELATIVE)
    assert made.sites == (t.Site(1, t.Point.RESID_MID), t.Site(2, t.Point.RESID_MID))
    assert made.where == t.Where(t.Phase.DECODE)
    assert made.keep_norm
    assert made.must_fire
    assert only(steer.add("x", layer=3)).sites == (t.Site(3),)


DATA = struct.pack("<3f", 1, 2, 3)


class OnlyArray:
    def __array__(self):
        return np.array([1, 2, 3])


@pytest.mark.parametrize(
    "values",
    [[1, 2, 3], (1.0, 2.0, 3.0), array.array("d", [1, 2, 3]), range(1, 4), OnlyArray(),
     np.array([1, 2, 3], dtype=np.float16), np.array([1, 2, 3]), np.arange(6.0)[1:4]],
)  # fmt: skip
def test_inline_arrays(values):
    made = only(steer.add(values, layer=12))
    assert made.op == t.Add(t.Inline((t.Direction(DATA),)))
    assert made.sites == (t.Site(12),)


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.bfloat16):
        tensor = torch.tensor([1, 2, 3], dtype=dtype, requires_grad=True)
        assert only(steer.add(tensor)).op.operand.directions[0].data == DATA


def test_arrays_by_layer():
    operand = only(steer.add({1: [1, 2, 3], t.Site(2): [1, 2, 3]}, point="mlp_out")).op.operand
    sites = [direction.site for direction in operand.directions]
    assert sites == [t.Site(1, t.Point.MLP_OUT), t.Site(2)]


def test_projections():
    x = t.Stored("x")
    assert only(steer.ablate("x")).op == t.Project(x, 0, 0)
    assert only(steer.pin("x", 2)).op == t.Project(x, 2, 2)
    assert only(steer.clamp("x", high=3)).op == t.Project(x, -math.inf, 3)
    assert only(steer.project("x", -1, 1)).op == t.Project(x, -1, 1)


def test_the_other_ops():
    x = t.Stored("x")
    assert only(steer.rotate("x", -30, layer=1)).op == t.Rotate(x, -30)
    assert only(steer.low_rank("reft")).op == t.LowRank("reft")
    edit = t.FeatureEdit(512, 4.0)
    assert only(steer.feature("sae", 512, 4.0)).op == t.Feature("sae", (edit,))
    assert steer.feature("sae", {512: 4.0}) == steer.feature("sae", 512, 4.0)
    several = only(steer.feature("sae", {1: 2.0, 3: 0.5}, mode="scale", strength=0.5))
    assert [edit.index for edit in several.op.edits] == [1, 3]
    assert {edit.mode for edit in several.op.edits} == {t.FeatureMode.SCALE}
    assert several.strength == t.Strength(0.5)


def test_patches():
    assert only(steer.patch(arm="clean", layer=2)) == t.Intervention(
        t.Replace(source_arm="clean"), sites=(t.Site(2),)
    )
    one = only(steer.patch(capture="cap-1", position=-1, fraction=0.5)).op
    assert one == t.Replace(capture_id="cap-1", source_position=-1, fraction=0.5)
    assert only(steer.patch(vector="x")).op == t.Replace(t.Stored("x"))
    inline = only(steer.patch(vector=[1, 2, 3], layer=1)).op
    assert inline == t.Replace(t.Inline((t.Direction(DATA),)))


def test_random_like_keeps_everything_but_the_operand():
    recipe = steer.add("x", strength=2, layer=1) + steer.ablate("y")
    random = steer.random_like(recipe, seed=3)
    first, second = random.interventions
    assert first.op == t.Add(t.RandomLike(t.Stored("x"), 3))
    assert second.op == t.Project(t.RandomLike(t.Stored("y"), 3))
    assert (first.sites, first.strength) == ((t.Site(1),), t.Strength(2))
    assert steer.random_like("x", seed=3) == steer.random_like(steer.add("x"), seed=3)
    assert only(steer.random_like("x", strength=4)).strength == t.Strength(4)


def test_orthogonal_to():
    assert only(steer.orthogonal_to("x", "y")).op.operand == t.OrthogonalTo(
        t.Stored("x"), t.Stored("y")
    )


def test_expressions_are_told_from_names():
    assert only(steer.add("x-y")).op == t.Add(t.Stored("x-y"))
    assert only(steer.add("x - 0.5*y", strength=2)).op == t.Add(t.Expression("x - 0.5*y"))
    assert only(steer.ablate("mean(x, y)")).op == t.Project(t.Expression("mean(x, y)"))
    assert steer.cosine("x - y", above=0, at=1).cosine == t.Expression("x - y")
    for text in ("x y", "x - ", "2*3", "x * y"):
        with pytest.raises(steer.InvalidRequest, match="the expression"):
            steer.add(text)


def test_within_class():
    assert only(steer.within_class("x", seed=2)).op == t.Add(t.WithinClass(t.Stored("x"), 2))
    shuffled = steer.within_class("x", seed=2, stratified=True)
    assert only(shuffled).op == t.Add(t.WithinClass(t.Stored("x"), 2, stratified=True))
    patched = steer.within_class(steer.patch(vector="x", fraction=0.5), seed=1)
    assert only(patched).op == t.Replace(t.WithinClass(t.Stored("x"), 1), fraction=0.5)


def test_negation():
    assert only(steer.negate(steer.add("x", strength=2))).strength == t.Strength(-2)
    assert only(-steer.Recipe((t.Intervention(t.Rotate(t.Stored("x"), 30)),))).op.degrees == -30
    assert steer.negate(-steer.add("x", strength=2)) == steer.add("x", strength=2)


def test_changes_are_new_recipes():
    recipe = steer.add("x")
    assert only(recipe.at([4], "attn_out")).sites == (t.Site(4, t.Point.ATTN_OUT),)
    assert only(recipe.at(4)).sites == (t.Site(4),)
    assert only(recipe.where("first", every=2)).where == t.Where(t.Phase.FIRST, every=2)
    assert only(recipe.where(t.Where(token_ids=(3,)))).where == t.Where(token_ids=(3,))
    gate = t.Gate(t.Site(1), 0.5, probe="p")
    assert only(recipe.when(gate)).gate == only(steer.add("x", when=gate)).gate == gate
    assert only(recipe.where("decode", after="<think>", until="</think>")).where == t.Where(
        t.Phase.DECODE, markers=(t.Marker("<think>", until="</think>"),)
    )
    assert recipe == steer.add("x")


def test_treatments():
    x, y = only(steer.add("x")), only(steer.ablate("y"))
    assert as_arm("a", steer.add("x")) == t.Arm("a", (x,))
    assert as_arm("a", [steer.add("x"), y]) == t.Arm("a", (x, y))
    assert as_arm("a", x) == t.Arm("a", (x,))
    assert as_arm("a", []) == t.Arm("a")
    assert steer.arm(stored="calm") == steer.arm(stored=["calm"]) == t.Arm("", recipes=("calm",))
    forced = steer.arm(steer.add("x"), forced_prefix="THINK", logit_bias={17: -5.0}, prompt=[1, 2])
    assert as_arm("a", forced) == t.Arm(
        "a", (x,), t.Prompt(text="THINK"), {17: -5.0}, t.Prompt(token_ids=(1, 2))
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: steer.add(""),
        lambda: steer.add(None),
        lambda: steer.add([[1.0]], layer=1),
        lambda: steer.add(["a"], layer=1),
        lambda: steer.add([], layer=1),
        lambda: steer.add([math.nan], layer=1),
        lambda: steer.add([1e300], layer=1),
        lambda: steer.add({}, strength=1),
        lambda: steer.add({1: [1.0], 2: [1.0, 2.0]}),
        lambda: steer.add("x", strength=math.inf),
        lambda: steer.add("x", strength="much"),
        lambda: steer.add("x", relative=True),
        lambda: steer.add("x", layer=-1),
        lambda: steer.add("x", layer=1.5),
        lambda: steer.add("x", layers=[1, 1]),
        lambda: steer.add("x", point="resid_mid"),
        lambda: steer.add("x", layer=1, point="resid"),
        lambda: steer.add("x", where="later"),
        lambda: steer.add("x").where("decode", every=0),
        lambda: steer.add("x").at(1, "nowhere"),
        lambda: steer.clamp("x", 2, 1),
        lambda: steer.pin("x", math.nan),
        lambda: steer.Recipe((t.Intervention(t.Rotate(t.Stored("x"), 270)),)),
        lambda: steer.random_like("x", seed=-1),
        lambda: steer.random_like(steer.Recipe((t.Intervention(t.LowRank("x")),))),
        lambda: steer.negate(steer.add("x")),
        lambda: steer.negate(steer.ablate("x")),
        lambda: steer.negate("x"),
        lambda: steer.arm("x"),
        lambda: steer.add("x", when="decode"),
        lambda: steer.add("x").when("decode"),
        lambda: steer.rotate("x", 181),
        lambda: steer.rotate("x", math.nan),
        lambda: steer.low_rank(""),
        lambda: steer.feature("sae", 512),
        lambda: steer.feature("sae", {512: 1.0}, 2.0),
        lambda: steer.feature("sae", {}),
        lambda: steer.feature("sae", {-1: 1.0}),
        lambda: steer.feature("sae", 512, math.nan),
        lambda: steer.feature("sae", 512, 1.0, mode="double"),
        lambda: steer.feature("", 512, 1.0),
        lambda: steer.patch(),
        lambda: steer.patch(arm="a", capture="c"),
        lambda: steer.patch(arm="a", fraction=1.5),
        lambda: steer.patch(vector="x", position=3),
        lambda: steer.random_like(steer.patch(arm="a")),
        lambda: steer.random_like(steer.feature("sae", 1, 2.0)),
        lambda: steer.within_class("x", seed=-1),
    ],
)
def test_nonsense_is_refused_at_once(make):
    with pytest.raises(steer.InvalidRequest):
        make()


def test_an_unknown_option_is_a_type_error():
    with pytest.raises(TypeError, match="strenght"):
        steer.add("x", strenght=1)


def test_a_wrong_phase_says_which_there_are():
    with pytest.raises(steer.InvalidRequest, match="prompt, generated, decode, first, all"):
        steer.add("x", where="later")
