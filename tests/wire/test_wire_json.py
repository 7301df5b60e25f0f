"""Recipes as JSON: exact for every recipe, and nothing but InvalidRequest for everything else."""

import json
from typing import Any

import wire_strategies as s
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import steer.v1 as pb
from steer import wire
from steer.errors import InvalidRequest
from steer.types import StoredRecipe

MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@given(s.recipes)
@MANY
def test_there_and_back(recipe: StoredRecipe) -> None:
    text = wire.recipe_to_json(recipe)
    assert wire.recipe_from_json(text) == recipe
    assert json_format.Parse(text, pb.Recipe()) == wire.build_recipe(recipe)


@given(s.recipes, st.integers(0, 8))
@MANY
def test_the_hash_is_of_the_interventions_alone(recipe: StoredRecipe, indent: int) -> None:
    text = wire.recipe_to_json(recipe)
    plain = dict(reversed(json.loads(text).items())) | {"name": "other", "description": "other"}
    assert wire.recipe_hash(json.dumps(plain, indent=indent)) == wire.recipe_hash(text)


# Every name of the contract and some that are not, under values of every kind.
names = st.sampled_from(
    sorted({field for message in (pb.Recipe, pb.Intervention, pb.Gate, pb.Where, pb.Marker)
            for field in message.DESCRIPTOR.fields_by_name} | {"", "x", "@type", "[a.b]"})
)  # fmt: skip
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(values)
@MANY
def test_any_json_is_a_recipe_or_refused(value: Any) -> None:
    for text in (json.dumps(value), json.dumps({"interventions": [value]})):
        try:
            recipe = wire.recipe_from_json(text)
        except InvalidRequest as error:
            assert error.violations
        else:
            assert wire.recipe_from_json(wire.recipe_to_json(recipe)) == recipe
