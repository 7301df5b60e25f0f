"""Stored recipes as what they say."""

from dataclasses import replace

from steer import wire
from steer.errors import InvalidRequest
from steer.store.recipes import RecipeFiles, damaged
from steer.types import StoredRecipe


class RecipeBook:
    """Recipes by name; planning reads it for ``Arm.recipes``. Safe to use from several threads."""

    def __init__(self, files: RecipeFiles) -> None:
        self._files = files

    def names(self) -> list[str]:
        """All names, sorted."""
        return self._files.names()

    def check_name(self, name: str) -> None:
        """Raise InvalidRequest unless a recipe can have this name."""
        self._files.path(name)

    def get(self, name: str) -> StoredRecipe:
        """A recipe, with the hash of what its file says.

        Raises:
            InvalidRequest: ``name`` is not a name.
            NotFound: there is no such recipe; the message lists names.
            FailedPrecondition: its file is damaged, or was changed after it was stored.
        """
        text = self._files.read(name)
        try:
            recipe = wire.recipe_from_json(text)
        except InvalidRequest as error:
            raise damaged(name, self._files.path(name), error) from error
        content_hash = wire.recipe_hash(text)
        if recipe.content_hash not in ("", content_hash):
            problem = f"content_hash: its interventions have {content_hash}"
            raise damaged(name, self._files.path(name), problem)
        return replace(recipe, name=name, content_hash=content_hash)

    def put(self, recipe: StoredRecipe) -> StoredRecipe:
        """Keep a recipe under its name; what is returned has its hash. Durable when it returns.

        Raises InvalidRequest for a bad name, FailedPrecondition where nothing can be written.
        """
        hashed = replace(recipe, content_hash=wire.recipe_hash(wire.recipe_to_json(recipe)))
        self._files.write(hashed.name, wire.recipe_to_json(hashed))
        return hashed

    def delete(self, name: str) -> None:
        """Remove a recipe. Raises InvalidRequest for a bad name, NotFound where there is none."""
        self._files.delete(name)
