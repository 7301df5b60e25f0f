"""Recipes as JSON: exact there and back, readable by protobuf alone, wrong fields named."""

import json
import math

import pytest
from google.protobuf import json_format

import steer
import steer.v1 as pb
from steer import types as t

GATE = steer.cosine("x", above=0.2, at=1)
RECIPE = (
    steer.add("x", strength=2, layer=1).where("decode", after="<think>").when(GATE)
    + steer.clamp([1.0, 2.0], layer=3)
    + steer.patch(arm="clean", position=-1)
    + steer.feature("sae", {3: -1.5})
)


def test_there_and_back(tmp_path):
    assert steer.Recipe.from_json(RECIPE.to_json()) == RECIPE
    path = tmp_path / "r.json"
    named = steer.Recipe(RECIPE.interventions, name="calm", description="über")
    named.save(path)
    assert steer.Recipe.load(str(path)) == steer.Recipe.load(path) == named


def test_it_is_the_standard_mapping_of_protobuf():
    message = json_format.Parse(RECIPE.to_json(), pb.Recipe())
    assert message.interventions[0].add.operand.vector == "x"
    assert message.interventions[1].project.low == -math.inf
    camel = json_format.MessageToJson(message)
    assert '"sourceArm"' in camel
    assert steer.Recipe.from_json(camel) == RECIPE


def changed(change):
    plain = json.loads(RECIPE.to_json())
    change(plain)
    return json.dumps(plain)


def first(**fields):
    return lambda plain: plain["interventions"][0].update(fields)


BAD = [
    (first(opp={}), ["interventions[0].opp"]),
    (first(rotate={"degrees": 3}), ["interventions[0].rotate"]),
    (first(strength={"value": "much"}), ["interventions[0].strength.value"]),
    (first(strength=3), ["interventions[0].strength"]),
    (first(sites={"layer": 1}), ["interventions[0].sites"]),
    (first(sites=[{"layer": 1}, None]), ["interventions[0].sites[1]"]),
    (first(sites=[{"layer": -1}]), ["interventions[0].sites[0].layer"]),
    (first(sites=[{"layer": 2**32}]), ["interventions[0].sites[0].layer"]),
    (first(sites=[{"point": "POINT_NOWHERE"}]), ["interventions[0].sites[0].point"]),
    (first(where={"token_ids": [1, -2]}), ["interventions[0].where.token_ids[1]"]),
    (first(keep_norm="yes"), ["interventions[0].keep_norm"]),
    (first(where={"every": 0}, strength={"value": "NaN"}),
     ["interventions[0].strength.value", "interventions[0].where.every"]),
    (first(x=1, y=2), ["interventions[0].x", "interventions[0].y"]),
    (lambda plain: plain.update(interventions=[]), ["interventions"]),
    (lambda plain: plain.clear(), ["interventions"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "fields"), BAD)
def test_what_is_wrong_is_named(change, fields):
    with pytest.raises(steer.InvalidRequest) as caught:
        steer.Recipe.from_json(changed(change))
    found = [violation.field for violation in caught.value.violations]
    assert found == [f"recipe.{field}" for field in fields]
    assert "give" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"interventions": [NaN]}',
        '{"name": "a", "name": "b"}',
        '{"interventions":[{"add":{"operand":' * 1 + "[" * 100_000,
        '{"a":' * 50_000,
    ],
)
def test_what_is_no_recipe_at_all(text):
    with pytest.raises(steer.InvalidRequest):
        steer.Recipe.from_json(text)


def test_deep_nesting_is_refused():
    operand = {"vector": "x"}
    for _ in range(300):
        operand = {"random_like": {"of": operand}}
    text = json.dumps({"interventions": [{"add": {"operand": operand}}]})
    with pytest.raises(steer.InvalidRequest):
        steer.Recipe.from_json(text)


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "r.json").write_bytes(b"\xff\xfe")
    with pytest.raises(steer.InvalidRequest, match="UTF-8"):
        steer.Recipe.load(tmp_path / "r.json")


def test_nothing_is_no_recipe():
    with pytest.raises(steer.InvalidRequest):
        steer.Recipe(()).to_json()


def test_what_is_made_from_a_named_recipe_has_no_name():
    named = steer.Recipe(steer.add("x").interventions, name="calm", content_hash="sha256:0")
    for made in (named.at(3), named + named, steer.random_like(named), named.where("decode")):
        assert (made.name, made.description, made.content_hash) == ("", "", "")
    assert steer.arm(named) == t.Arm("", named.interventions)
