"""RecipeService: keeps recipes in the store."""

import asyncio
import logging
from bisect import bisect_right
from itertools import islice

import steer.v1 as pb
from steer import wire
from steer.errors import InvalidRequest, SteerError
from steer.server.interceptor import Context
from steer.server.named import named
from steer.server.paging import name_before, page_of, page_size
from steer.server.recipe_book import RecipeBook
from steer.types import StoredRecipe

log = logging.getLogger("steer.server")


class RecipeService(pb.RecipeServiceServicer):
    """Puts, shows, lists and removes stored recipes."""

    def __init__(self, book: RecipeBook) -> None:
        self._book = book

    async def PutRecipe(
        self, request: pb.PutRecipeRequest, context: Context
    ) -> pb.PutRecipeResponse:
        """Keep a recipe."""
        recipe, found = wire.read_recipe(request.recipe)
        try:
            self._book.check_name(recipe.name)
        except InvalidRequest as error:
            found.add("recipe.name", error.reason, error.message)
        found.raise_if_any()
        stored = await named("recipe.name", self._book.put, recipe)
        return pb.PutRecipeResponse(recipe=wire.build_recipe(stored))

    async def GetRecipe(
        self, request: pb.GetRecipeRequest, context: Context
    ) -> pb.GetRecipeResponse:
        """One recipe."""
        recipe = await named("name", self._book.get, request.name)
        return pb.GetRecipeResponse(recipe=wire.build_recipe(recipe))

    async def ListRecipes(
        self, request: pb.ListRecipesRequest, context: Context
    ) -> pb.ListRecipesResponse:
        """A page of recipes, by name."""
        return await asyncio.to_thread(self._list, request)

    async def DeleteRecipe(
        self, request: pb.DeleteRecipeRequest, context: Context
    ) -> pb.DeleteRecipeResponse:
        """Remove a recipe."""
        await named("name", self._book.delete, request.name)
        return pb.DeleteRecipeResponse()

    def _list(self, request: pb.ListRecipesRequest) -> pb.ListRecipesResponse:
        size, names = page_size(request), self._book.names()
        # The token is the last name given, so that pages stay right while recipes come and go.
        rest = names[bisect_right(names, name_before(request)) :]
        found = list(islice(filter(None, map(self._readable, rest)), size + 1))
        recipes = list(map(wire.build_recipe, found[:size]))
        page, token = page_of(recipes, [recipe.name for recipe in found])
        return pb.ListRecipesResponse(recipes=page, next_page_token=token)

    def _readable(self, name: str) -> StoredRecipe | None:
        # One that is damaged, or has just gone, must not hide the others. GetRecipe says why.
        try:
            return self._book.get(name)
        except SteerError as error:
            log.warning("not listed: %s", error.message)
            return None
