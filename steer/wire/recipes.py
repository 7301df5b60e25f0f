"""Recipes: interventions under a name."""

import json

import steer.v1 as pb
from steer.types import StoredRecipe
from steer.wire.check import Check
from steer.wire.interventions import build_intervention, parse_intervention
from steer.wire.jsonform import digest, from_json, to_json


def build_recipe(recipe: StoredRecipe) -> pb.Recipe:
    """A recipe."""
    return pb.Recipe(
        name=recipe.name,
        description=recipe.description,
        interventions=[build_intervention(one) for one in recipe.interventions],
        content_hash=recipe.content_hash,
    )


def read_recipe(message: pb.Recipe, check: Check) -> StoredRecipe:
    """A recipe. What a name may look like is for the store to say."""
    if not message.interventions:
        check.at("interventions").fail("REQUIRED", "is empty; give at least one intervention")
    return StoredRecipe(
        name=message.name,
        interventions=tuple(
            parse_intervention(one, check.at("interventions", i))
            for i, one in enumerate(message.interventions)
        ),
        description=message.description,
        content_hash=message.content_hash,
    )


def recipe_to_json(recipe: StoredRecipe) -> str:
    """A recipe as recipe files hold it."""
    return to_json(build_recipe(recipe))


def recipe_hash(text: str) -> str:
    """The digest of the interventions in a recipe file. Of the text and not of what it means, so
    that it is the same for ever."""
    return digest(json.loads(text)["interventions"])


def read_recipe_json(text: str, check: Check) -> StoredRecipe:
    """A recipe from a recipe file."""
    message = from_json(text, pb.Recipe, check)
    return StoredRecipe("", ()) if check.found else read_recipe(message, check)
